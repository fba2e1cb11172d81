"""What Slurm hides from the gateway is noticed once it answers, and said once."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.cluster import FakeCluster
from tests.unit.gateway.site import GatewaySite
from waldur_slurm.gateway.picture.hidden import hidden_by
from waldur_slurm.gateway.picture.privacy import Privacy
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import Person

HIDDEN = {"ClusterName": "lab", "SlurmUser": "slurm(64030)", "PrivateData": "jobs,usage"}


def site(level: str = "None", **configuration: str) -> GatewaySite:
    made = GatewaySite(cluster=FakeCluster(configuration=HIDDEN | configuration))
    made.history.people = (Person(UserName("gateway"), None, level),)
    return made


def said(made: GatewaySite, user: str) -> list[object]:
    Privacy([made.pictures], user, made.told.append).look()
    return [event.fields["hidden"] for event in made.told if event.name == "slurm.private"]


@pytest.mark.parametrize(
    ("told", "by_slurmdbd", "hidden"),
    [
        ("none", (), ()),
        ("", (), ()),
        ("NONE", (), ()),
        ("jobs", (), ("jobs",)),
        ("none", ("jobs",), ("jobs",)),
        ("jobs, nodes", ("jobs", "users"), ("jobs", "nodes", "users")),
    ],
)
def test_what_is_hidden_is_read_from_both_configurations(
    told: str, by_slurmdbd: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    assert hidden_by({"PrivateData": told}, by_slurmdbd) == hidden


def test_it_is_said_in_an_event_and_to_those_who_watch() -> None:
    made = site()

    assert said(made, "gateway") == ["jobs,usage"]
    assert "lab: PrivateData hides others' jobs, usage" in made.get("/readyz").text


@pytest.mark.parametrize("user", ["root", "slurm"])
def test_root_and_slurms_own_user_are_shown_everything(user: str) -> None:
    made = site()

    assert said(made, user) == []
    assert "PrivateData" not in made.get("/readyz").text


def test_an_operator_is_shown_everything() -> None:
    assert said(site("Operator"), "gateway") == []


def test_where_nothing_is_hidden_nobody_is_looked_up() -> None:
    made = site(PrivateData="none")

    assert said(made, "gateway") == []
    assert made.pictures.hidden == ()
    assert made.pictures.people.readings == 0


def site_that_hides(hidden: tuple[str, ...] | None) -> GatewaySite:
    made = GatewaySite(jobs_ttl=timedelta(0))
    made.pictures.hidden = hidden
    return made


def ask_for_one_that_is_not_shown(hidden: tuple[str, ...] | None) -> tuple[int, Any]:
    return (
        site_that_hides(hidden).get("/api/v1/jobs/7").status,
        site_that_hides(hidden).post("/api/v1/jobs/lookup", b'{"marks":["op:7"]}').json,
    )


@pytest.mark.parametrize("hidden", [None, ("jobs",), ("jobs", "users")])
def test_a_job_that_may_be_hidden_is_never_said_to_be_none(hidden: tuple[str, ...] | None) -> None:
    status, found = ask_for_one_that_is_not_shown(hidden)

    assert status == 503
    assert (found["absent"], found["unknown"]) == ([], ["op:7"])


@pytest.mark.parametrize("hidden", [(), ("nodes", "users")])
def test_where_all_jobs_are_shown_one_that_is_not_there_is_none(hidden: tuple[str, ...]) -> None:
    status, found = ask_for_one_that_is_not_shown(hidden)

    assert status == 404
    assert (found["absent"], found["unknown"]) == (["op:7"], [])


def test_a_silent_slurm_is_asked_again_later() -> None:
    made = site()
    made.cluster.go_down()
    privacy = Privacy([made.pictures], "gateway", made.told.append)
    assert privacy.look()
    made.cluster.come_back()
    made.pictures.configuration.renew()

    assert not privacy.look()
    assert made.pictures.hidden == ("jobs", "usage")
