"""Monitors over HTTP: of jobs that one sees, once, and nobody else's to change."""

import json
import time
from typing import Any

import pytest

from tests.fakes.cluster import live_job
from tests.fakes.past import past_run
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from tests.unit.gateway.watch.monitors import monitor
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.model.names import UserName

MONITORS = "/api/v1/monitors"
MAIL = {"email": {"recipient": "ann@example.org"}}
ANN, BEN = somebody("ann"), somebody("ben")


def make(site: GatewaySite, who: Principal = ANN, **body: object) -> Answered:
    return site.post(MONITORS, json.dumps({"job_id": "1", **body}).encode(), who)


def made(site: GatewaySite, who: Principal = ANN, **body: object) -> Any:
    answer = make(site, who, **body)
    assert answer.status == 201, answer.text
    return answer.json


def with_job(state: str = "RUNNING", **changes: Any) -> GatewaySite:
    site = GatewaySite()
    site.cluster.put(live_job(1, state=state, **changes))
    return site


def look(site: GatewaySite) -> None:
    """Let the watch see a list of now."""
    site.pictures.jobs.shown(younger_than=time.monotonic())
    site.watch.step()


def drop(site: GatewaySite, monitor_id: str, who: Principal) -> Answered:
    return site.client(who).ask(Asked(f"{MONITORS}/{monitor_id}", "DELETE"))


def test_a_job_that_came_from_anywhere_is_watched_to_its_end() -> None:
    site = with_job()
    answer = made(site, methods=MAIL, occasions=["terminal", "started"])
    assert (answer["job_id"], answer["user"], answer["stage"]) == ("1", "ann", "watching")
    assert answer["submit_time"] == "2026-11-21T12:00:00Z"
    site.cluster.finish(1, "TIMEOUT")

    look(site)

    path = f"{MONITORS}/{answer['id']}"
    shown = site.get(path, ANN).json
    assert (shown["state"], shown["stage"]) == ("TIMEOUT", "ended")
    (transition,) = site.get(f"{path}/transitions", ANN).json["transitions"]
    assert (transition["before"], transition["state"]) == ("UNKNOWN", "TIMEOUT")
    (letter,) = site.get(f"{path}/notifications", ANN).json["letters"]
    assert (letter["event"], letter["method"], letter["stage"]) == ("terminal", "email", "waiting")
    assert (letter["job_id"], letter["monitor"]) == ("1", answer["id"])


def test_a_job_that_has_left_the_queue_is_watched_by_what_the_accounting_has() -> None:
    site = GatewaySite()
    site.history.runs.append(past_run(1))

    assert made(site, methods=MAIL)["submit_time"] == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize("who", [BEN, somebody()])
def test_nobody_learns_by_it_of_a_job_that_he_does_not_see(who: Principal) -> None:
    site = with_job()

    there, nowhere = make(site, who), make(GatewaySite(), who)

    assert (there.status, nowhere.status) == (404, 404)
    assert there.json["detail"] == nowhere.json["detail"]
    assert site.monitors.kept == {}


def test_a_silent_slurm_is_not_no_such_job() -> None:
    site = GatewaySite()
    site.cluster.go_down()

    assert make(site).status == 503


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"job_id": "x"}, 400),
        ({"job_id": "1_[0-3]"}, 400),
        ({"methods": {"pigeon": {}}}, 400),
        ({"methods": {"email": {"recipient": "a@example.org"}, "slack": {}}}, 501),
        ({"methods": {"rabbitmq": {"queue": "q"}, "rabbithq": {"queue": "q"}}}, 400),
        ({"methods": {"email": {"recipient": "ann@else.example"}}}, 403),
        ({"methods": {"email": {"recipient": "a@example.org\nBcc: b@example.org"}}}, 403),
        ({"methods": {"email": {}}}, 403),
        ({"methods": {"email": {"recipient": 1}}}, 400),
        ({"occasions": []}, 400),
        ({"occasions": ["vanished"]}, 400),
        ({"uuid": "a b"}, 400),
        ({"unknown": 1}, 400),
    ],
)
def test_what_could_not_be_sent_is_refused_before_it_is_watched(
    body: dict[str, Any], status: int
) -> None:
    site = with_job()

    answer = make(site, **body)

    assert answer.status == status, answer.text
    assert site.monitors.kept == {}


def test_the_same_uuid_is_the_same_monitor() -> None:
    site = with_job()
    site.cluster.put(live_job(2))
    first = made(site, uuid="u-1", methods=MAIL)

    again, other = make(site, uuid="u-1", methods=MAIL), make(site, uuid="u-1", job_id="2")

    assert (again.status, again.json["id"]) == (200, first["id"])
    assert (other.status, other.json["type"].rpartition(":")[2]) == (409, "other-body")
    assert made(site, ADMIN, uuid="u-1")["id"] != first["id"]


def test_who_asks_for_too_many_letters_is_told_so() -> None:
    site = GatewaySite(letters_allowed="* may recipient:* hourly:2")
    site.cluster.put(live_job(1))

    statuses = [make(site, methods=MAIL).status for _ in range(3)]

    assert statuses == [201, 201, 429]


def test_a_task_of_an_array_is_watched_by_itself() -> None:
    site = GatewaySite()
    site.cluster.put(live_job(8, id=JobId(1, Task(4))))

    assert made(site, job_id="1_4")["job_id"] == "1_4"


def test_a_monitor_is_shown_to_who_made_it_and_to_who_sees_the_job() -> None:
    site = with_job()
    portal = somebody("ann", "ben")
    path = f"{MONITORS}/{made(site, portal, methods=MAIL)['id']}"

    own, anns, admins, bens = (site.get(path, who) for who in (portal, ANN, ADMIN, BEN))

    assert own.json["methods"] == admins.json["methods"] == MAIL
    assert anns.json["methods"] == {"email": {}}
    assert bens.status == site.get(f"{MONITORS}/nothing", BEN).status == 404
    for more in ("transitions", "notifications"):
        assert site.get(f"{path}/{more}", BEN).status == 404
    listed = [len(site.get(MONITORS, who).json["monitors"]) for who in (portal, ANN, ADMIN, BEN)]
    assert listed == [1, 1, 1, 0]


def test_a_monitor_is_dropped_by_who_made_it_and_its_job_goes_on() -> None:
    site = with_job()
    made_by_portal = made(site, somebody("ann", "ben"))["id"]

    assert drop(site, made_by_portal, BEN).status == 404
    assert drop(site, made_by_portal, ANN).status == 403
    assert drop(site, made_by_portal, ADMIN).status == 204
    assert drop(site, made_by_portal, ADMIN).status == 404
    assert str(site.cluster.jobs[1].state) == "RUNNING"


def test_reading_and_writing_need_their_scopes() -> None:
    site = with_job()
    reader = somebody("ann", scopes={Scope.MONITOR_READ})
    writer = somebody("ann", scopes={Scope.MONITOR_WRITE})

    assert make(site, reader).status == 403
    assert make(site, writer).status == 201
    assert site.get(MONITORS, writer).status == 403
    assert site.get(MONITORS, reader).status == 200


def test_monitors_come_page_by_page_and_by_what_is_asked() -> None:
    site = GatewaySite()
    for number in range(5):
        site.monitors.add(monitor(f"m{number}", number + 1, state="RUNNING", uuid=f"u{number}"))
    site.monitors.add(monitor("away", 9, cluster="other"))

    found: list[str] = []
    query = "?limit=2"
    while query:
        page = site.get(MONITORS + query).json
        found += [each["id"] for each in page["monitors"]]
        query = f"?limit=2&cursor={page['next']}" if page["next"] else ""

    assert found == ["m4", "m3", "m2", "m1", "m0"]

    def ids(query: str) -> list[str]:
        return [each["id"] for each in site.get(f"{MONITORS}?{query}").json["monitors"]]

    assert ids("job_id=3") == ids("uuid=u2") == ["m2"]
    assert len(ids("state=running")) == len(ids("stage=watching")) == 5
    assert ids("stage=ended") == []
    assert site.get(f"{MONITORS}?limit=2&cursor=x").status == 400
    assert site.get(f"{MONITORS}/away").status == 404


def test_each_way_of_a_monitor_can_be_tried() -> None:
    site = with_job()
    monitor_id = made(site, methods={**MAIL, "test": {}})["id"]
    path = f"{MONITORS}/{monitor_id}/notifications"

    tried = [site.post(f"{path}/test", b"", ANN) for _ in range(2)]

    assert [answer.status for answer in tried] == [201, 201]
    letters = site.get(path, ANN).json["letters"]
    assert [(each["event"], each["method"]) for each in letters] == [
        ("trial", "test"),
        ("trial", "email"),
    ] * 2
    site.cluster.finish(1)
    look(site)
    events = [each["event"] for each in site.get(path, ANN).json["letters"]]
    assert sorted(events) == ["terminal"] * 2 + ["trial"] * 4


def test_a_way_that_is_no_longer_allowed_is_not_tried() -> None:
    site = GatewaySite(letters_allowed="")
    site.monitors.add(monitor(owner=str(ANN)))

    assert site.post(f"{MONITORS}/m/notifications/test", b"", ANN).status == 403
    assert site.monitors.outbox.kept == {}


def test_a_broken_store_is_not_now() -> None:
    site = with_job()
    site.monitors.is_broken = True

    assert make(site).status == 503
    assert site.get(MONITORS).status == 503


def test_a_job_of_another_user_with_a_hostile_name_is_shown_as_it_is() -> None:
    site = with_job(name='"\n<script>', user=UserName("ann"))
    made(site, methods={"test": {}})
    site.cluster.finish(1, "FAILED", code=2)

    look(site)

    (letter,) = site.monitors.outbox.kept.values()
    assert letter.facts is not None
    assert (letter.facts.name, letter.facts.exit_code) == ('"\n<script>', "2:0")
