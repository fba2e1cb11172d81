"""slurm-controller's routes: the original's keys and times, one account, and nobody's browser."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone

import pytest

from tests.fakes.batch import FakeBatch
from tests.fakes.cluster import live_job
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.past import BEGAN, past_run
from tests.fakes.people import ThesePeople
from tests.gateway_client import Answered, Asked, Client
from tests.unit.gateway.site import Everybody, GatewaySite, somebody
from tests.unit.gateway.submits.desk import Desk
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.doors.companions import ALLOWED
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.seeds.controller_site import Controller
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.names import UserName

FOLDER = "/home/ann/work"
SCRIPT = "#!/bin/sh\n#SBATCH --nodes=1\nhostname\n"
END = BEGAN + timedelta(seconds=100)
COMPANION = somebody("ann", scopes=ALLOWED)


@dataclass
class Surfaced:
    """What the account `ann` serves; `queue` is Slurm's."""

    queue: Desk = field(default_factory=Desk)
    tree: FakeTree = field(default_factory=FakeTree)

    def __post_init__(self) -> None:
        self.gateway = GatewaySite(
            cluster=self.queue.cluster,
            history=self.queue.history,
            means_of=lambda user: Means(FakeBatch(self.queue.queue, user), FakeFiles(self.tree)),
            people=ThesePeople("ann", "bob"),
            jobs_ttl=timedelta(0),
            patience_s=1.0,
        )

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answered:
        site = replace(self.gateway.site, controller=Controller(FOLDER))
        app = application(site, Everybody(COMPANION), frozenset({Surface.CONTROLLER}))
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return Client(app).ask(Asked(path, method, named, body))

    def get(self, path: str, **headers: str) -> Answered:
        return self.ask("GET", path, b"", **headers)

    def hand_in(self, script: str = SCRIPT, **headers: str) -> Answered:
        return self.ask("POST", "/sbatch", json.dumps({"command": script}).encode(), **headers)


@pytest.fixture
def surface() -> Surfaced:
    return Surfaced()


def test_a_script_becomes_a_job_whose_number_is_the_whole_answer(surface: Surfaced) -> None:
    answer = surface.hand_in()

    assert (answer.status, answer.text) == (200, "1")
    (job,) = surface.queue.queue.jobs
    assert (job.user, job.sheet.script) == ("ann", SCRIPT)


def test_jobs_run_where_it_was_started_unless_they_say_where(surface: Surfaced) -> None:
    surface.hand_in()
    surface.hand_in("#!/bin/sh\n#SBATCH --chdir=/scratch\nhostname\n")
    surface.hand_in("#!/bin/sh\n#SBATCH -D /scratch\nhostname\n")

    told = [job.sheet.options.get("chdir") for job in surface.queue.queue.jobs]
    assert told == [FOLDER, None, None]


def test_each_request_is_a_job_of_its_own_but_for_one_key(surface: Surfaced) -> None:
    numbers = [surface.hand_in().text for _ in range(2)]
    numbers += [surface.hand_in(idempotency_key="cow").text for _ in range(2)]

    assert numbers == ["1", "2", "3", "3"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"command": ""}', b'{"command": 7}', b'{"other": "x"}']
)
def test_what_is_no_script_is_400_with_words(surface: Surfaced, body: bytes) -> None:
    answer = surface.ask("POST", "/sbatch", body)

    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.strip()
    assert surface.queue.queue.jobs == []


def test_what_slurm_refuses_is_500_with_its_words(surface: Surfaced) -> None:
    surface.queue.queue.partitions.clear()
    answer = surface.hand_in("#!/bin/sh\n#SBATCH --wait\nhostname\n")

    assert answer.status == 500
    assert "--wait" in answer.text


def test_an_answer_of_slurms_that_was_lost_is_504_and_the_key_finds_the_job(
    surface: Surfaced,
) -> None:
    with surface.queue.losing("answers"):
        lost = surface.hand_in(idempotency_key="cow")
    again = surface.hand_in(idempotency_key="cow")

    assert lost.status == 504
    assert (again.status, again.text) == (200, "1")
    assert len(surface.queue.queue.jobs) == 1


def test_a_job_that_waits_has_the_originals_keys_and_its_zero_times(surface: Surfaced) -> None:
    surface.queue.cluster.put(
        live_job(4, user=UserName("ann"), name="cow", state="PENDING", start=BEGAN, comment="moo")
    )

    answer = surface.get("/sacct/4")

    assert answer.status == 200
    assert answer.json == [
        {
            "id": "4",
            "name": "cow",
            "started_at": "0001-01-01T00:00:00Z",
            "finished_at": "0001-01-01T00:00:00Z",
            "exit_code": 0,
            "state": "PENDING",
            "comment": "moo",
        }
    ]


def test_a_job_that_was_only_just_handed_in_is_told(surface: Surfaced) -> None:
    number = surface.hand_in().text

    (told,) = surface.get(f"/sacct/{number}").json
    assert told["id"] == number


def test_times_are_utc_whatever_zone_slurm_has(surface: Surfaced) -> None:
    zone = timezone(timedelta(hours=2))
    ended = {"start": BEGAN.astimezone(zone), "end": END.astimezone(zone), "exit": ExitCode(3, 0)}
    surface.queue.cluster.put(live_job(4, user=UserName("ann"), state="FAILED", **ended))

    (told,) = surface.get("/sacct/4").json
    assert told["started_at"] == "2026-11-21T12:00:00Z"
    assert told["finished_at"] == "2026-11-21T12:01:40Z"
    assert told["exit_code"] == 3


def test_a_cancelled_job_is_called_so_as_companions_compare_it(surface: Surfaced) -> None:
    state = JobState("CANCELLED", by=1000)
    surface.queue.history.runs.append(past_run(4, state=state, end=END))

    (told,) = surface.get("/sacct/4").json
    assert told["state"] == "CANCELLED"


def test_each_task_of_an_array_is_told(surface: Surfaced) -> None:
    for task in (1, 2):
        job = live_job(4 + task, user=UserName("ann"), id=JobId(4, Task(task)))
        surface.queue.cluster.put(job)

    assert [told["id"] for told in surface.get("/sacct/4").json] == ["4_1", "4_2"]


@pytest.mark.parametrize("path", ["/sacct/4", "/scancel/4"])
def test_what_is_anothers_is_as_what_is_not_there(surface: Surfaced, path: str) -> None:
    absent = surface.get(path)
    surface.queue.cluster.put(live_job(4, user=UserName("bob")))
    anothers = surface.get(path)

    assert (absent.status, anothers.status) == (404, 404)
    assert absent.text == anothers.text


@pytest.mark.parametrize("path", ["/sacct/x", "/scancel/-1", "/scancel/1;2"])
def test_what_is_no_number_is_400(surface: Surfaced, path: str) -> None:
    assert surface.get(path).status == 400


def test_a_silent_slurm_is_no_job_that_is_not_there(surface: Surfaced) -> None:
    surface.queue.cluster.go_down()

    assert surface.get("/sacct/4").status == 503
    assert surface.get("/scancel/4").status == 503


def test_a_job_is_cancelled_with_an_empty_answer_and_once_more_likewise(surface: Surfaced) -> None:
    number = surface.hand_in().text

    first = surface.get(f"/scancel/{number}")
    surface.queue.cluster.finish(int(number), "CANCELLED")
    again = surface.get(f"/scancel/{number}")

    assert [(each.status, each.body) for each in (first, again)] == [(200, b""), (200, b"")]
    assert surface.queue.queue.jobs[0].state == "CANCELLED"


@pytest.mark.parametrize("path", ["slurm-4.out", f"{FOLDER}/slurm-4.out", f"{FOLDER}//slurm-4.out"])
def test_a_file_is_sent_whether_or_not_the_folder_is_said(surface: Surfaced, path: str) -> None:
    surface.tree.write(f"{FOLDER}/slurm-4.out", b"moo\n\xff")

    answer = surface.get(f"/open?path={path}")

    assert (answer.status, answer.body) == (200, b"moo\n\xff")
    assert answer.headers["content-type"] == "application/octet-stream"


def put_link(tree: FakeTree) -> str:
    tree.add(FOLDER, "directory")
    tree.link(f"{FOLDER}/link", "/etc/passwd")
    return "link"


@pytest.mark.parametrize(
    "name",
    [
        lambda _: "/etc/passwd",
        lambda _: "../../../etc/passwd",
        lambda _: f"{FOLDER}/../../../etc/passwd",
        lambda _: "",
        put_link,
    ],
    ids=["elsewhere", "up", "down and up", "none", "link"],
)
def test_what_lies_below_no_root_is_not_read(
    surface: Surfaced, name: Callable[[FakeTree], str]
) -> None:
    path = name(surface.tree)

    assert surface.get(f"/open?path={path}").status == (403 if path else 400)


def test_a_file_that_is_not_there_is_404_and_two_paths_are_400(surface: Surfaced) -> None:
    surface.tree.write(f"{FOLDER}/a", b"")

    assert surface.get("/open?path=b").status == 404
    assert surface.get("/open").status == 400
    assert surface.get("/open?path=a&path=b").status == 400


def test_nobody_runs_srun_and_it_says_so(surface: Surfaced) -> None:
    answer = surface.ask("POST", "/srun", b'{"command": "hostname"}')

    assert answer.status == 501
    assert "POST /sbatch" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://127.0.0.1:8080"},
        {"origin": "null"},
        {"referer": "https://evil.example/"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_mode": "no-cors"},
        {"cookie": "a=b"},
        {"user_agent": "Mozilla/5.0 (X11; Linux x86_64)"},
    ],
)
def test_no_browser_is_answered_and_nothing_is_done(
    surface: Surfaced, headers: dict[str, str]
) -> None:
    number = surface.hand_in().text

    answer = surface.get(f"/scancel/{number}", **headers)

    assert answer.status == 403
    assert surface.hand_in(**headers).status == 403
    assert [job.state for job in surface.queue.queue.jobs] == ["PENDING"]


def test_any_other_gateway_offers_none_of_it() -> None:
    gateway = GatewaySite()
    app = application(gateway.site, Everybody(COMPANION), frozenset({Surface.CONTROLLER}))

    for method, path in (("POST", "/sbatch"), ("GET", "/sacct/1"), ("GET", "/scancel/1")):
        assert Client(app).ask(Asked(path, method)).status == 501


def test_what_is_no_route_is_said_as_text(surface: Surfaced) -> None:
    answer = surface.get("/queue")

    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")


def test_an_operator_is_told_that_nothing_was_done_and_what_to_do(surface: Surfaced) -> None:
    answer = surface.ask("POST", "/api/v1/jobs", b"{}")

    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "started with -api" in answer.json["detail"]
    assert surface.queue.queue.jobs == []
