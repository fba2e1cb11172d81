"""A module is read in one sitting: none is longer than CONTRIBUTING.md allows."""

import pytest

from tests.places import PROJECT

LONGEST = 400
ROOMS = ("waldur_slurm", "tests", "sandbox", "benchmarks")


def lengths(room: str) -> dict[str, int]:
    return {
        str(path.relative_to(PROJECT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (PROJECT / room).rglob("*.py")
    }


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_longer_than_four_hundred_lines(room: str) -> None:
    found = lengths(room)

    assert found
    assert {name: lines for name, lines in found.items() if lines > LONGEST} == {}
