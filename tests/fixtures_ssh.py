"""A real sshd on loopback for tests. Where there is none, they are skipped; in CI they fail."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from sandbox.slurm.keeping import PATH
from sandbox.ssh import SshServer, running_sshd
from tests.fixtures_slurm import IN_CI, open_directory

NewSshd = Callable[[str], AbstractContextManager[SshServer]]


@pytest.fixture(scope="session")
def new_sshd() -> NewSshd:
    """Run an sshd of the test's own, with more lines of configuration."""
    if not shutil.which("sshd", path=PATH):
        reason = "NO SSHD HERE, so this promise was not tested: apt-get install openssh-server"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    return _fresh_sshd


@pytest.fixture(scope="session")
def shared_sshd(new_sshd: NewSshd) -> Iterator[SshServer]:
    """The one that tests share: leave it as you found it."""
    with new_sshd("") as server:
        yield server


@pytest.fixture
def sshd(new_sshd: NewSshd) -> Iterator[SshServer]:
    """One of the test's own, to be ended, frozen and given other keys."""
    with new_sshd("") as server:
        yield server


@pytest.fixture
def rooms(
    shared_sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Where this test's transports have their private directories; nothing is left of them.

    What lives longer than the test has its directory already.
    """
    place = open_directory()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    left = list(place.iterdir())
    shutil.rmtree(place)
    assert left == []


@contextmanager
def _fresh_sshd(more: str) -> Iterator[SshServer]:
    directory = open_directory()
    try:
        with running_sshd(directory, more=more) as server:
            yield server
    finally:
        shutil.rmtree(directory)
