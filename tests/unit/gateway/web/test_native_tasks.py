"""Tasks handed in over HTTP: what a request may say, and what each ending looks like."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.batch import FakeBatch
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.people import ThesePeople
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import EVERYTHING, GatewaySite, somebody
from tests.unit.gateway.submits.desk import Desk
from tests.unit.gateway.tasks.makers import UUID, hello
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.doors.principals import NOBODY, Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.post.allowed import parse_rules
from waldur_slurm.gateway.post.gate import Gate

PORTAL = somebody("ann", "bob")
TEST = {"methods": ["test"]}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def tree() -> FakeTree:
    return FakeTree()


@pytest.fixture
def site(desk: Desk, tree: FakeTree) -> GatewaySite:
    return GatewaySite(
        cluster=desk.cluster,
        means_of=lambda user: Means(FakeBatch(desk.queue, user), FakeFiles(tree)),
        people=ThesePeople("ann", "bob", "eve"),
        jobs_ttl=timedelta(0),
        gate=Gate(parse_rules("token:ann+bob may recipient:*@example.com")),
    )


def body(**changed: Any) -> dict[str, Any]:
    """Return the document's task, in a partition that there is."""
    given = hello(**changed)
    return {**given, "slurm": {**given["slurm"], "partition": "main"}}


def submit(
    site: GatewaySite,
    asked: object,
    *keys: str,
    who: Principal = PORTAL,
    path: str = "/api/v1/tasks",
) -> Answered:
    headers = [("Idempotency-Key", key) for key in keys]
    return site.client(who).ask(Asked(path, "POST", headers, json.dumps(asked).encode()))


def refused(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.json["type"].removeprefix("urn:slurm-gateway:problem:")


def test_a_task_is_made_once_and_told_again_in_the_same_words(
    site: GatewaySite, desk: Desk
) -> None:
    first, again = submit(site, body()), submit(site, body())

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    told = first.json
    assert first.headers["location"] == f"/api/v1/clusters/lab/tasks/{UUID}"
    assert told["task"] == body()
    assert (told["uuid"], told["user"], told["job_id"], told["cluster"], told["name"]) == (
        UUID, "ann", "1", "lab", "generic",
    )  # fmt: skip
    assert told["stdout"] == desk.cluster.jobs[1].stdout
    assert site.get(f"/api/v1/tasks/{UUID}", PORTAL).json == told
    assert site.get("/api/v1/tasks", PORTAL).json == {"next": None, "tasks": [told]}


def test_a_key_names_a_task_without_a_uuid(site: GatewaySite, desk: Desk) -> None:
    asked = {key: value for key, value in body().items() if key != "uuid"}
    plain, again = submit(site, asked, "k-1"), submit(site, asked, "k-1")
    odd, odd_again = submit(site, asked, "k/1 é".replace(" é", "!")), submit(site, asked, "k/1!")
    without = submit(site, asked)

    assert (plain.json["uuid"], again.status, odd_again.status) == ("k-1", 200, 200)
    assert odd.json["uuid"] == odd_again.json["uuid"]
    assert without.status == 201
    assert len(desk.queue.jobs) == 3
    assert submit(site, body(), UUID).status == 201
    assert refused(submit(site, body(), "another")) == (400, "wrong-ask")
    assert refused(submit(site, body(), "a", "b")) == (400, "wrong-ask")


def test_who_asks_is_the_user_where_none_is_named(site: GatewaySite, desk: Desk) -> None:
    asked = {key: value for key, value in body().items() if key != "username"}
    himself = Principal(
        kind=PORTAL.kind, name="ann+bob", scopes=PORTAL.scopes, user=desk.actor().person.name
    )

    assert submit(site, asked, who=himself).json["task"]["username"] == "ann"
    assert refused(submit(site, asked)) == (400, "wrong-ask")


@pytest.mark.parametrize(
    ("changed", "end", "words"),
    [
        ({"name": "nosuch"}, (400, "wrong-ask"), "there is echo_hello_world, generic"),
        ({"username": "eve"}, (403, "denied"), "may not act for eve"),
        ({"username": "root"}, (403, "denied"), ""),
        ({"username": "0"}, (403, "denied"), ""),
        ({"username": "ann\n"}, (403, "denied"), ""),
        ({"uuid": "a b"}, (400, "wrong-ask"), "task.uuid"),
        ({"colour": 1}, (400, "wrong-ask"), "colour"),
        ({"params": "echo"}, (400, "wrong-ask"), "params"),
        ({"cwd": "/home/ann\n#SBATCH"}, (400, "wrong-ask"), "task.cwd"),
        ({"dirs": {"parent": "/root/x"}}, (403, "denied"), "the hand refused"),
        (
            {"notification": {"methods": ["email"], "params": {}}},
            (403, "denied"),
            "is no e-mail address",
        ),
        (
            {"notification": {"methods": ["slack"], "params": {"slack": {"channel": "#all"}}}},
            (403, "denied"),
            "GATEWAY_LETTERS_ALLOWED",
        ),
    ],
)
def test_what_is_refused_is_so_by_its_kind_and_leaves_nothing(
    site: GatewaySite, desk: Desk, changed: dict[str, Any], end: tuple[int, str], words: str
) -> None:
    answer = submit(site, body(**changed))

    assert refused(answer) == end
    assert words in answer.json["detail"]
    assert desk.queue.jobs == []
    assert (site.tasks.kept, site.tasks.monitors.kept) == ({}, {})
    assert site.errors() == []


def test_slurms_refusal_has_its_kind_and_frees_the_uuid(site: GatewaySite, desk: Desk) -> None:
    answer = submit(site, hello())

    assert refused(answer) == (422, "refused")
    assert answer.json["refusal"] == "no-such-partition"
    assert submit(site, body()).status == 201


def test_another_task_under_the_uuid_is_one(site: GatewaySite) -> None:
    submit(site, body())

    answer = submit(site, body(cmd="other"))
    assert refused(answer) == (409, "other-body")
    assert "whose job is 1" in answer.json["detail"]
    assert refused(submit(site, body(username="bob"))) == (409, "other-body")


def test_a_task_in_hand_is_busy_and_says_when_to_come_again(site: GatewaySite, desk: Desk) -> None:
    desk.queue.loses_answers = True
    assert refused(submit(site, body())) == (504, "outcome-unknown")
    (shown,) = site.get("/api/v1/tasks", PORTAL).json["tasks"]
    assert shown["job_id"] is None

    desk.queue.loses_answers = False
    answer = submit(site, body())
    assert (answer.status, answer.json["job_id"]) == (200, "1")


def test_it_takes_both_scopes(site: GatewaySite, desk: Desk) -> None:
    for missing in (Scope.JOBS_SUBMIT, Scope.MONITOR_WRITE):
        who = somebody("ann", "bob", scopes=EVERYTHING - {missing, Scope.APPS_ADMIN})
        answer = submit(site, body(), who=who)
        assert refused(answer) == (403, "denied")
        assert missing in answer.json["detail"]
    assert refused(submit(site, body(), who=NOBODY)) == (401, "not-signed-in")
    blind = somebody("ann", scopes=EVERYTHING - {Scope.MONITOR_READ})
    assert refused(site.get("/api/v1/tasks", blind)) == (403, "denied")
    assert desk.queue.jobs == []


def test_a_task_is_shown_to_who_sees_its_users_jobs_and_to_no_other(site: GatewaySite) -> None:
    submit(site, body())
    submit(site, body(notification=TEST), who=somebody("ann"))

    assert site.get(f"/api/v1/tasks/{UUID}").json["user"] == "ann"
    assert len(site.get("/api/v1/tasks", somebody("ann")).json["tasks"]) == 2
    own = site.get(f"/api/v1/tasks/{UUID}", somebody("ann")).json
    assert own["task"]["notification"] == TEST
    stranger = somebody("eve")
    assert site.get("/api/v1/tasks", stranger).json["tasks"] == []
    there, nowhere = (site.get(f"/api/v1/tasks/{uuid}", stranger) for uuid in (UUID, "none"))
    assert there.status == nowhere.status == 404
    assert there.json["detail"] == nowhere.json["detail"]


def test_tasks_come_page_by_page(site: GatewaySite) -> None:
    for number in range(5):
        submit(site, body(uuid=f"u{number}"))
    seen, path = [], "/api/v1/tasks?limit=2"
    while path:
        page = site.get(path, PORTAL).json
        seen += [task["uuid"] for task in page["tasks"]]
        path = page["next"] and f"/api/v1/tasks?limit=2&cursor={page['next']}"

    assert seen == ["u4", "u3", "u2", "u1", "u0"]
    others = site.get("/api/v1/tasks?limit=2", PORTAL).json["next"]
    answer = site.get(f"/api/v1/tasks?cursor={others}", somebody("eve"))
    assert refused(answer) == (400, "wrong-ask")


def test_a_gateway_that_only_reads_takes_no_tasks(site: GatewaySite) -> None:
    assert refused(submit(GatewaySite(), body())) == (501, "not-offered")


def test_a_store_that_does_not_serve_says_so(site: GatewaySite, desk: Desk) -> None:
    site.tasks.is_broken = True

    assert refused(submit(site, body())) == (503, "not-now")
    assert refused(site.get("/api/v1/tasks", PORTAL)) == (503, "not-now")
    assert desk.queue.jobs == []
