"""What of the tests one worker takes at a time, and in which order they are begun.

A unit shares what is slow to start, such as one release's Slurm or one Kubernetes. What takes
longest is begun first, so that at the end no long one is left to a single worker. None of it
changes what a test finds.
"""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no types

_SLURM = re.compile(r"(?:docker|container|native)_(\d\d_\d\d)|\[(\d\d\.\d\d)\]")
_OF_A_SLURM = ("tests/contract/test_", "tests/sandbox_docker/")
_IN_FOLDERS = ("tests/unit/", "tests/standin/", "tests/laws/", "tests/contract_waldur/")
_EACH_ALONE = re.compile(r"/(?:test_\w+_killed|test_submit_once|test_watch)\.py$")
_OPERATOR = "tests/e2e/operator"
_OF_ONE_BED = {
    f"{_OPERATOR}/test_{name}.py": f"{_OPERATOR} on {bed}"
    for bed, names in {
        "one Kubernetes": ("killed", "resource_daemon", "slurm_jobs"),
        "another": ("defects", "trouble"),
        "one with a node": ("companion_pod", "documents_steps"),
    }.items()
    for name in names
}
"""Two, so that two workers share the time that they take."""

LONGEST_FIRST = (
    *(
        "tests/e2e/operator",
        "tests/e2e/gateway/test_tasks_killed",
        "tests/packaging/test_head_node",
    ),
    *("Slurm 22_05 in docker", "Slurm 24_11 in docker", "Slurm 26_05 in docker", "Slurm 22_05"),
    *(
        "tests/packaging/test_gateway",
        "tests/e2e/gateway/test_slurmer_killed",
        "tests/e2e/test_rem",
    ),
    *("tests/e2e/gateway/test_submit_once", "tests/e2e/gateway/test_watch", "tests/e2e/test_comp"),
    *(
        "tests/e2e/gateway/test_pages",
        "tests/e2e/gateway/test_check",
        "tests/e2e/gateway/test_gate",
    ),
    *("tests/contract_waldur", "tests/trust", "tests/e2e", "tests/packaging", "tests/sandbox"),
    *("tests/contract", "tests/laws", "tests/standin", "tests/unit"),
)
"""How the names of units begin, as they were measured; what begins like none is begun first."""


def unit_of(test: str) -> str:
    """Return the unit of a test, both by their names."""
    file, _, rest = test.partition("::")
    if file.startswith(_OF_A_SLURM) and (found := _SLURM.search(rest)):
        release = (found[1] or found[2]).replace(".", "_")
        return f"Slurm {release}" + ("" if "native" in rest else " in docker")
    if file.startswith(_IN_FOLDERS):
        return file.rpartition("/")[0]
    return test if _EACH_ALONE.search(file) else _OF_ONE_BED.get(file, file)


def rank_of(unit: str) -> int:
    """Return where it stands in the order; the first name that it begins with counts."""
    ranks = (rank for rank, name in enumerate(LONGEST_FIRST) if unit.startswith(name))
    return next(ranks, -1)


class Units(LoadScopeScheduling):  # type: ignore[misc]  # of a class without types
    """Gives whole units to workers, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Units | None:
    return Units(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the usual order where one process runs all: it is that of the files."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank_of(unit_of(item.nodeid)))


LONGEST_NAME = 100


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a test by the beginning of a long value: its name goes to and fro between processes."""
    if not isinstance(val, Sequence) or not isinstance(val, str | bytes):
        return None
    text = val if isinstance(val, str) else val[: LONGEST_NAME + 1].decode("latin-1")
    if len(text) <= LONGEST_NAME:
        return None
    shown = text[:LONGEST_NAME].encode("unicode_escape").decode("ascii")
    return f"{shown} and so on, {len(val)} in all"
