"""A real Kubernetes for tests. Where it cannot be, they are skipped; in CI they fail.

What it is made of is built once on a machine, which takes minutes: `make setup` does it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.kube import Bed, BedOptions
from sandbox.slurm.keeping import PATH
from tests.fixtures_slurm import open_directory, skip_here

NewBed = Callable[[BedOptions], Bed]

FOUR_HOURS_S = 4 * 3600.0
"""A session at most."""


@pytest.fixture(scope="session")
def new_bed() -> Iterator[NewBed]:
    """Start ones of one's own. They end with the session; `with` or `wipe` ends one earlier."""
    if not shutil.which("kubectl", path=PATH):
        skip_here("NO KUBECTL HERE, so this promise was not tested: make setup")
    with ExitStack() as stack:

        def start(options: BedOptions) -> Bed:
            directory = open_directory()
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            bed = Bed.start(directory, options)
            stack.callback(bed.stop)
            return bed

        yield start


@pytest.fixture(scope="session")
def bed(new_bed: NewBed) -> Bed:
    """The one that tests share: take namespaces of your own, start again what you stop."""
    return new_bed(BedOptions(lifetime_s=FOUR_HOURS_S))


@pytest.fixture
def bed_directory() -> Iterator[Path]:
    directory = open_directory()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
