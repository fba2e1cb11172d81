"""While a large queue is read Python does not stop everybody to look through all jobs."""

import gc
from collections.abc import Iterator

import pytest

from waldur_slurm.gateway.commands.serve import collect_seldom

OF_ALL = 2
"""The generation that everything is in."""


@pytest.fixture
def full_collections() -> Iterator[list[int]]:
    """Those that happen meanwhile; afterwards all is as it was."""
    before, seen = gc.get_threshold(), []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"] == OF_ALL:
            seen.append(OF_ALL)

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*before)
    gc.unfreeze()


class Cyclic:
    def __init__(self, died: list[int]) -> None:
        self.died = died
        self.itself = self

    def __del__(self) -> None:
        self.died.append(1)


def test_as_much_as_a_large_queue_is_made_without_looking_through_it(
    full_collections: list[int],
) -> None:
    collect_seldom()
    full_collections.clear()

    held = [([number], {number: number}, (number, [number])) for number in range(60_000)]

    assert len(held) == 60_000
    assert full_collections == []


def test_what_refers_to_itself_and_ends_young_is_found_all_the_same(
    full_collections: list[int],
) -> None:
    died: list[int] = []
    collect_seldom()
    full_collections.clear()

    Cyclic(died)
    held = [[number] for number in range(20_000)]

    assert (len(held), full_collections) == (20_000, [])
    assert died == [1]
