"""slurm-proxy's surface where nothing was recorded: who sees what, silence, what comes twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from anyio import to_thread

from tests.fakes.cluster import live_job
from tests.fakes.past import past_run
from tests.unit.gateway.site import somebody
from tests.unit.gateway.tasks.makers import UUID
from tests.unit.gateway.watch.monitors import monitor
from tests.unit.gateway.web.seeds.proxy_surface import PORTAL, ProxySurface, task
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.monitored import OWNER
from waldur_slurm.gateway.submits.attempt import Key
from waldur_slurm.gateway.tasks.task import Reading
from waldur_slurm.gateway.watch.monitor import Monitor, Stage
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.seeds import proxy
from waldur_slurm.gateway.web.seeds.proxy import taken
from waldur_slurm.gateway.web.seeds.proxy_states import live_row
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.grammar.values import format_elapsed

EVE = somebody("eve")
ANN, BOB = UserName("ann"), UserName("bob")


@pytest.fixture
def surface(tmp_path: Path) -> Iterator[ProxySurface]:
    with ProxySurface.open(tmp_path) as opened:
        yield opened


def test_a_uuid_is_handed_in_once_whoever_asks_and_whatever_it_says_then(
    surface: ProxySurface,
) -> None:
    first = surface.submit()
    again = surface.submit()
    by_another = surface.submit(somebody("ann"))
    another_task = surface.submit(cmd="true", params=[])

    assert first.status == 200, first.body
    for answer in (again, by_another, another_task):
        assert answer.status == 400
        assert f"'slurm_job_id': {first.json['slurm_job_id']}," in answer.json["error"]
    assert len(surface.queue.queue.jobs) == 1


def test_two_clients_who_hand_in_one_uuid_at_the_same_moment_make_one_job(
    surface: ProxySurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees the other's before he hands in his own."""
    both_looked = Barrier(2)

    async def looked(ask: Ask, uuid: str, user: str) -> Monitor | None:
        found = await taken(ask, uuid, user)
        if found is None:
            await to_thread.run_sync(both_looked.wait, 10)
        return found

    monkeypatch.setattr(proxy, "taken", looked)
    with ThreadPoolExecutor(2) as pool:
        answers = [*pool.map(surface.submit, (PORTAL, somebody("ann")))]

    first, second = sorted(answers, key=lambda each: each.status)
    assert (first.status, second.status) == (200, 400), (first.body, second.body)
    assert f"Failed to submit task | Task UUID {UUID} " in second.json["error"]
    assert len(surface.queue.queue.jobs) == 1
    assert len(surface.monitors.watching("lab")) == 1


def test_who_may_hand_in_jobs_and_not_have_them_watched_hands_in_no_task(
    surface: ProxySurface,
) -> None:
    scopes = PORTAL.scopes - {Scope.MONITOR_WRITE}
    answer = surface.submit(replace(PORTAL, scopes=scopes))

    assert answer.status == 403
    assert "monitor:write" in answer.json["error"]
    assert surface.queue.queue.jobs == []


def test_a_task_that_is_being_handed_in_is_400_and_says_when_to_come_again(
    surface: ProxySurface,
) -> None:
    under_way = surface.gateway.site.tasks._under_way
    with under_way.alone(Key(str(PORTAL), UUID)):
        answer = surface.submit()

    assert answer.status == 400
    assert answer.json == {
        "error": f"Failed to submit task | Task UUID {UUID} is being submitted at the moment"
    }
    assert int(answer.headers["retry-after"]) >= 1
    assert surface.submit().status == 200


def test_of_an_answer_that_was_lost_it_is_said_and_tried_again_the_job_is_named(
    surface: ProxySurface,
) -> None:
    surface.queue.queue.loses_answers = True
    lost = surface.submit()
    surface.queue.queue.loses_answers = False
    again = surface.submit()

    assert lost.status == 504
    assert again.status == 400
    assert "'slurm_job_id': 1," in again.json["error"]
    assert len(surface.queue.queue.jobs) == 1


def test_a_uuid_that_was_taken_over_is_not_handed_in_again(surface: ProxySurface) -> None:
    taken = monitor(job=7, owner=OWNER, uuid=UUID, task=task(), stage=Stage.ENDED)
    surface.monitors.add(taken)

    answer = surface.submit()

    assert answer.status == 400
    assert "'slurm_job_id': 7," in answer.json["error"]
    assert surface.queue.queue.jobs == []


def test_a_refusal_of_slurms_frees_the_uuid_and_is_told_in_its_words(
    surface: ProxySurface,
) -> None:
    given = task()
    given["slurm"]["partition"] = "nosuch"
    refused = surface.ask("POST", "/submit", {"task": given})

    assert refused.status == 400
    assert refused.json["error"].startswith("Failed to submit task | ")
    assert "partition" in refused.json["error"]
    assert surface.submit().status == 200


@pytest.mark.parametrize(
    ("way", "parameters", "says"),
    [
        ("email", {}, "email: '' is no e-mail address"),
        ("email", {"recipient": "everybody"}, "email: 'everybody' is no e-mail address"),
        ("email", {"recipient": "a@b.example", "subject": "a\nBcc: b"}, "not one line"),
        ("email", {"recipient": "a@else.example"}, "GATEWAY_LETTERS_ALLOWED"),
        ("rabbitmq", {"queue": "payroll"}, "the queue 'payroll' is not allowed"),
        ("rabbitmq", {"exchange": "events"}, "rabbitmq: it names neither a queue"),
    ],
)
def test_letters_that_are_malformed_or_not_allowed_are_400_in_the_documents_words(
    surface: ProxySurface, way: str, parameters: dict[str, str], says: str
) -> None:
    notification = {"methods": [way], "params": {way: parameters}}

    submitted = surface.submit(notification=notification)

    assert (submitted.status, submitted.json.keys()) == (400, {"error"})
    assert submitted.json["error"].startswith("Failed to submit task | ")
    assert says in submitted.json["error"]
    assert surface.queue.queue.jobs == []

    surface.queue.cluster.put(live_job(5, user=ANN))
    told = {"username": "ann", "uuid": UUID, "notification": notification}
    watched = surface.ask("POST", "/monitor", {"monitor": {"task": told, "slurm_job_id": 5}})

    assert (watched.status, watched.json) == (400, {"error": "Failed to monitor job"})
    assert says in watched.headers["x-detail"]
    assert surface.monitors.watching("lab") == ()
    assert surface.submit().status == 200


@pytest.mark.parametrize("user", ["eve", "root", "0", "--uid=0", "ann\n", "nobody-at-all"])
def test_nobody_is_acted_as_whom_the_client_may_not_act_for(
    surface: ProxySurface, user: str
) -> None:
    answer = surface.submit(username=user)

    assert answer.status == 403
    assert answer.json.keys() == {"error"}
    assert surface.queue.queue.jobs == []


def test_what_is_missing_is_named(surface: ProxySurface) -> None:
    given = task()
    del given["slurm"]["mem"], given["slurm"]["time"]

    answer = surface.ask("POST", "/submit", {"task": given})

    assert answer.json == {
        "error": "Failed to submit task | task.slurm.mem, task.slurm.time are missing"
    }


def test_what_another_watches_is_not_there(surface: ProxySurface) -> None:
    number = surface.submit().json["slurm_job_id"]
    by_job, by_uuid = f"/monitor/slurm_job_id/{number}", f"/monitor/task_uuid/{UUID}"

    for reading, status in ((Reading.DOCUMENT, 400), (Reading.ORIGINAL, 404)):
        surface.reading = reading
        assert surface.ask("GET", by_job, who=EVE).status == status
        assert surface.ask("GET", by_uuid, who=EVE).status == status
        assert surface.ask("DELETE", by_job, who=EVE).status == status
        assert surface.ask("GET", by_uuid).status == 200


def test_a_job_whose_owner_one_may_not_act_for_is_not_cancelled_and_stays_watched(
    surface: ProxySurface,
) -> None:
    surface.queue.cluster.put(live_job(5, user=BOB))
    sees_all = replace(somebody("ann"), scopes=PORTAL.scopes | somebody().scopes)
    surface.monitors.add(monitor(job=5, owner=str(sees_all), user=BOB, uuid="u-5"))

    answer = surface.ask("DELETE", "/monitor/slurm_job_id/5", who=sees_all)

    assert answer.status == 400
    assert answer.json == {"error": "Job could not be deleted from SLURM scheduler"}
    assert "bob" in answer.headers["x-detail"]
    assert surface.monitors.find("m") is not None


def test_a_monitor_of_a_job_that_is_gone_is_forgotten_and_no_other_job_of_its_number_ended(
    surface: ProxySurface,
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    surface.queue.cluster.put(live_job(5, user=ANN, submitted=now - timedelta(days=1)))
    surface.monitors.add(monitor(job=5, owner=str(PORTAL), user=ANN, uuid="u-5", submitted=now))

    answer = surface.ask("DELETE", "/monitor/slurm_job_id/5")

    assert answer.status == 200
    assert surface.monitors.find("m") is None
    assert not surface.queue.cluster.jobs[5].state.is_terminal


def test_a_silent_slurm_leaves_the_state_that_was_seen_last_and_says_so(
    surface: ProxySurface,
) -> None:
    surface.submit()
    surface.queue.cluster.go_down()

    answer = surface.ask("GET", f"/monitor/task_uuid/{UUID}")

    assert answer.status == 200
    assert answer.json["slurm"]["job_state"] == "PENDING"
    assert "as it was seen last" in answer.headers["x-detail"]


@pytest.mark.parametrize("state", ["PENDING", "COMPLETED"])
def test_a_silent_slurm_is_never_a_list_without_jobs(surface: ProxySurface, state: str) -> None:
    surface.queue.cluster.go_down()
    surface.gateway.history.go_down()

    answer = surface.ask("GET", f"/monitor/slurm_job_state/{state}")

    assert answer.status == 503
    assert "retry-after" in answer.headers


def test_by_state_one_sees_the_jobs_of_those_whom_one_may_act_for(surface: ProxySurface) -> None:
    for number, user in ((1, "ann"), (2, "eve")):
        surface.queue.cluster.put(live_job(number, state="PENDING", user=UserName(user)))

    waiting = surface.ask("GET", "/monitor/slurm_job_state/PENDING").json["jobs"]

    assert [job["job_id"] for job in waiting] == ["1"]
    assert [job["start"] for job in waiting] == ["Unknown"]


def test_of_what_ended_the_accounting_is_asked_for_whom_one_may_act_for_alone(
    surface: ProxySurface,
) -> None:
    for number, user in ((1, "ann"), (2, "eve")):
        ended = past_run(number, user=UserName(user), state=JobState("COMPLETED"))
        surface.gateway.history.runs.append(ended)
    surface.gateway.history.settle()

    jobs = surface.ask("GET", "/monitor/slurm_job_state/COMPLETED").json["jobs"]

    assert [(job["job_id"], job["user"]) for job in jobs] == [("1", "ann")]


def test_a_job_that_only_its_monitor_knows_is_among_those_that_ended(
    surface: ProxySurface,
) -> None:
    surface.monitors.add(
        monitor(job=9, owner=str(PORTAL), uuid="u-9", state="TIMEOUT", stage=Stage.ENDED)
    )

    jobs = surface.ask("GET", "/monitor/slurm_job_state/TIMEOUT").json["jobs"]

    assert [(job["job_id"], job["user"]) for job in jobs] == [("9", "ann")]


def test_a_job_of_another_user_is_not_watched_and_nothing_is_told_of_it(
    surface: ProxySurface,
) -> None:
    surface.queue.cluster.put(live_job(5, user=BOB))

    of_nobody, of_ann = surface.register(6, "ann", "u-1"), surface.register(5, "ann", "u-1")

    assert (of_nobody.status, of_ann.status) == (400, 400)
    assert of_nobody.body == of_ann.body
    assert of_ann.headers["x-detail"] == "Slurm knows no job 5 of ann"
    assert surface.register(5, "eve", "u-2").status == 403


def test_a_registered_uuid_is_taken_for_tasks_too(surface: ProxySurface) -> None:
    surface.queue.cluster.put(live_job(5, user=ANN))

    assert surface.register(5, "ann", UUID).status == 200
    assert surface.register(5, "ann", UUID).status == 400
    assert surface.submit().status == 400


@pytest.mark.parametrize("number", [0, -1, 2**32, True, 1.5, "x", None, [], "12_3"])
def test_what_is_no_number_of_a_job_watches_nothing(surface: ProxySurface, number: object) -> None:
    told = {"task": {"username": "ann", "uuid": "u"}, "slurm_job_id": number}

    answer = surface.ask("POST", "/monitor", {"monitor": told})

    assert answer.json == {"error": "Failed to monitor job"}


def test_times_are_written_as_sacct_writes_them() -> None:
    assert [format_elapsed(seconds) for seconds in (0, 269, 86_400 + 3_723)] == [
        *("00:00:00", "00:04:29", "1-01:02:03"),
    ]
    row = live_row(live_job(1, state="RUNNING", limit_s=None), UTC)
    assert (row.time, row.end, row.job_id) == ("UNLIMITED", "Unknown", str(JobId(1)))
