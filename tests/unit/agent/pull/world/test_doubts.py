"""A doubt is believed after three readings over half an hour, and not before."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.pull.world.doubts import Doubt, Readings, believed_doubts, remember_doubts
from waldur_slurm.telemetry.events import Level

PEOPLE = [f"user{number}" for number in range(6)]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    """One project with one allocation and six people in it."""
    site = new_site()
    served(site, *PEOPLE)
    site.events.clear()
    return site


def people(site: Site) -> int:
    return sum(len(a.users) for a in site.accounts().values() if a.name.startswith("hpc_"))


def empty_team(site: Site) -> None:
    for members in site.waldur.members.values():
        members.clear()


def test_an_empty_team_is_not_believed_at_once(site: Site) -> None:
    empty_team(site)

    report = site.run()

    assert people(site) == 6
    assert report.is_brake_active
    assert [e.level for e in site.events if e.name == "brake.active"] == [Level.ERROR] * len(
        [e for e in site.events if e.name == "brake.active"]
    )
    assert any(e.name == "brake.active" for e in site.events)


def test_an_empty_team_is_believed_after_three_readings_over_half_an_hour(site: Site) -> None:
    empty_team(site)
    for _ in range(4):
        site.run()
        site.wait(timedelta(minutes=9))
    assert people(site) == 6

    site.run()

    assert people(site) == 0


def test_many_readings_in_a_short_time_prove_nothing(site: Site) -> None:
    empty_team(site)
    for _ in range(20):
        site.run()
        site.wait(timedelta(minutes=1))

    assert people(site) == 6


def test_one_healthy_reading_in_between_starts_the_count_anew(site: Site) -> None:
    members = {project: set(team) for project, team in site.waldur.members.items()}
    for _ in range(2):
        empty_team(site)
        for _ in range(3):
            site.run()
            site.wait(timedelta(minutes=14))
        site.waldur.members.update({project: set(team) for project, team in members.items()})
        site.run()

    assert people(site) == 6


def test_one_small_team_that_is_suddenly_empty_is_not_believed_at_once(site: Site) -> None:
    other = site.waldur.make_project()
    for user in PEOPLE[:2]:
        site.waldur.add_member(other, user)
    small = site.waldur.place_create(other, "small", {"gpu": 1}).resource
    site.settle()
    site.waldur.members[other.uuid].clear()

    report = site.run()

    assert people(site) == 8
    assert report.doubts == (f"team/{small}",)


def test_a_clock_that_went_back_starts_the_count_anew() -> None:
    doubt = Doubt("people", "", 4)
    later = NOON + timedelta(hours=1)
    readings = remember_doubts([doubt], {}, later)

    readings = remember_doubts([doubt], readings, NOON)

    assert readings == {"people": Readings(NOON, 1, 4)}
    assert believed_doubts(readings, NOON + timedelta(hours=2)) == {}


def test_a_doubt_that_lasts_is_not_written_down_for_ever(site: Site) -> None:
    site.waldur.resources.clear()
    for _ in range(4):
        site.run()
        site.wait(timedelta(minutes=20))
    writes = site.state.writes

    for _ in range(5):
        site.run()
        site.wait(timedelta(minutes=20))

    assert site.state.writes == writes


def test_the_journal_alone_remembers_doubts(site: Site) -> None:
    empty_team(site)
    site.run()
    assert "journal/brake" in site.state.documents

    site.state.documents.clear()
    site.wait(timedelta(hours=2))
    site.run()

    assert people(site) == 6


def test_half_an_hour_on_a_clock_that_was_stepped_is_not_believed(site: Site) -> None:
    empty_team(site)
    for minutes in (0, 2, 4, 6):
        cycle = site.cycle()
        step = timedelta(hours=5) if minutes >= 4 else timedelta(0)
        cycle.clock = lambda step=step: site.waldur.now + step  # type: ignore[misc]  # bound at once
        cycle.run()
        site.wait(timedelta(minutes=2))

    assert people(site) == 6
