"""The contract's page says of the recordings what the replay really does."""

import re

from tests.places import PROJECT
from tests.standin.test_replay import RECORDINGS, REPLAYED, STALE_COPIES, reason_against

PAGE = (PROJECT / "docs" / "waldur-contract.md").read_text()


def numbers_in(text: str) -> set[int]:
    found: set[int] = set()
    for first, last in re.findall(r"\b(\d+)(?:-(\d+))?\b", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_the_page_counts_the_recordings_right() -> None:
    assert f"{len(REPLAYED)} of\nthe {len(RECORDINGS)} recordings" in PAGE


def test_the_page_lists_every_recording_that_is_not_asked_again() -> None:
    section = PAGE.partition("## Recordings that are not asked again")[2].partition("\n\n153")[0]
    listed = numbers_in(" ".join(re.findall(r"^\| ([\d, -]+) \|", section, re.MULTILINE)))
    assert listed == {one.id for one in RECORDINGS if reason_against(one)}


def test_the_page_names_the_stale_copies() -> None:
    named = re.search(r"\n([\d, and]+) are asked again without", PAGE)
    assert named is not None
    assert numbers_in(named[1]) == STALE_COPIES


def test_every_recording_that_the_page_calls_as_a_witness_exists_and_is_asked_again() -> None:
    rules = PAGE.partition("## Three dialects")[2].partition("## Recordings that are not")[0]
    witnesses = {
        number
        for line in rules.splitlines()
        if line.startswith("|")
        for number in numbers_in(line.rstrip(" |").rpartition("|")[2])
    }
    assert len(witnesses) > 80
    assert witnesses <= {one.id for one in REPLAYED}
