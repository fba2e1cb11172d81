"""What the journal does not hold as it should stops a cycle."""

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.errors import StateError


@pytest.fixture
def site() -> Site:
    """One allocation with ann and bob in it."""
    site = new_site()
    project = site.waldur.make_project()
    for user in ("ann", "bob"):
        site.waldur.add_member(project, user)
    site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.settle()
    return site


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("ledger", {"accounts": {"a": {"hold": 7}}}),
        ("ledger", {"accounts": {"a": {"empty_since": "2026-11-21T12:00:00"}}}),
        ("brake", {"people": {"count": 1, "size": 4}}),
        ("brake", {"people": 3}),
        ("removals", {"people": {"a/u": "yesterday"}}),
        ("removals", {"other": {}}),
        ("quarantine", {"a": {"failures": 1, "why": ""}}),
        ("quarantine", {"a": {"failures": 1, "until": "2026-11-21T12:00:00", "why": ""}}),
    ],
)
def test_a_broken_journal_stops_the_cycle_before_it_begins(
    site: Site, name: str, document: dict[str, object]
) -> None:
    site.state.documents[f"journal/{name}"] = document
    calls = site.slurm.calls.copy()

    with pytest.raises(StateError, match=f"journal/{name}.json in the state directory does not"):
        site.run()

    assert site.slurm.calls == calls
