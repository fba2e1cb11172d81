"""A real Slurm for tests: one that a session shares, and a factory for those that need their own.

Where Slurm is missing, tests that need it are skipped with the reason; in CI they fail.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.daemons import missing_programs
from sandbox.slurm.users import ensure_users, remove_users
from tests.e2e.forked import close_nurseries

NewCluster = Callable[[ClusterOptions], Cluster]

IN_CI = bool(os.environ.get("CI"))  # noqa: TID251 - CI is told by the environment, nothing else


def require(missing: list[str], *, in_ci: bool) -> None:
    """Let the test run only where nothing is missing."""
    if not missing:
        return
    reason = f"NO REAL SLURM HERE, so this promise was not tested. Missing: {', '.join(missing)}"
    if in_ci:
        pytest.fail(reason)
    pytest.skip(reason)


def skip_here(reason: str) -> NoReturn:
    """Leave a promise untested on somebody's laptop; in CI that is a failure."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def as_root() -> None:
    """Some things only root may do, such as to make a socket of another user."""
    if os.geteuid() != 0:
        skip_here("only root can try this")


@pytest.fixture(scope="session")
def _slurm_is_here() -> None:
    root = [] if os.geteuid() == 0 else ["root, to run jobs as several users"]
    require(missing_programs() + root, in_ci=IN_CI)


@pytest.fixture(scope="session")
def new_slurm_cluster(_slurm_is_here: None) -> Iterator[NewCluster]:
    """Start clusters of one's own. They end with the session; `with` or `stop` ends one earlier."""
    with ExitStack() as stack:

        def start(options: ClusterOptions) -> Cluster:
            directory = open_directory()
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            cluster = Cluster.start(directory, options)
            stack.callback(cluster.wipe)
            return cluster

        yield start


A_SESSION = timedelta(hours=4)
"""At most; a campaign takes more than the hour that is a cluster's by default."""


@pytest.fixture(scope="session")
def slurm_cluster(new_slurm_cluster: NewCluster) -> Cluster:
    """The cluster that tests share: use accounts of your own, leave its daemons alone."""
    return new_slurm_cluster(ClusterOptions(lifetime=A_SESSION))


@pytest.fixture(scope="session")
def slurm_users() -> tuple[str, ...]:
    """Unix users that may be given associations and run jobs."""
    return ensure_users(("wsat-ann", "wsat-bob", "wsat-eve"))


@pytest.fixture(scope="session", autouse=True)
def _users_stay_until_the_session_ends() -> Iterator[None]:
    """No test removes users when it is done: others of the same process may need them still."""
    yield
    close_nurseries()
    if os.geteuid() == 0:
        remove_users()


def open_directory() -> Path:
    """Make a directory that other unix users may enter, which pytest's own are not."""
    directory = Path(tempfile.mkdtemp(prefix="wsat-"))
    directory.chmod(0o755)
    return directory
