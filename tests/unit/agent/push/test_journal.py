"""A document of push's journal that does not hold what it should says so, and what to do."""

from collections.abc import Callable

import pytest

from tests.fakes.pull import FakeState
from tests.unit.agent.push.site import NOON
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.errors import StateError


def is_believed(journal: Journal) -> bool:
    return journal.believes_missing(NOON, is_doubtful=True, remember=False)


@pytest.mark.parametrize(
    ("name", "document", "read"),
    [
        ("push", {"declined": {"2026-10": {"r": {"cpu": "much"}}}}, Journal.read_ledger),
        ("push", {"untaken": {"r": {"cpu": "many"}}}, Journal.read_ledger),
        ("push", {"strangers": [["2026-10"]]}, Journal.read_ledger),
        ("owed", {"owed": [{"month": "2026-10"}]}, Journal.read_owed),
        ("owed", {"owed": 7}, Journal.read_owed),
        ("months", {"newest": "last"}, Journal.read_newest_month),
        ("missing-accounts", {"readings": "few"}, is_believed),
    ],
)
def test_a_document_that_cannot_be_understood_is_named(
    name: str, document: dict[str, object], read: Callable[[Journal], object]
) -> None:
    journal = Journal(FakeState({f"journal/{name}": document}))

    with pytest.raises(StateError, match=f"journal/{name}.json .* put a backup in its place"):
        read(journal)
