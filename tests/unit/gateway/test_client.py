"""The client asks again what may be asked again, and nothing else, however the answer was lost."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.gateway.scripted import PLACED, Told, job, page, placed, problem, said, scripted
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.gateway.errors import (
    BeyondEnd,
    GatewayError,
    NotNow,
    NotTrusted,
    OutcomeUnknown,
    TooFast,
)
from waldur_slurm.gateway.taking import CHUNK, Begun, NotThisFile


def _submit(client: Gateway) -> str:
    with client:
        return client.submit("#!/bin/sh\n", key="k1", options={"mem": "10"}).job_id


def test_a_submit_whose_answer_was_lost_is_asked_again_with_its_key() -> None:
    lost = problem("outcome-unknown", 504, after=3)
    with scripted(Told(None), lost, problem("busy", 409, after=1), placed(200)) as script:
        assert _submit(script.client()) == "7"
    assert [heard.headers["Idempotency-Key"] for heard in script.heard] == ["k1"] * 4
    assert len({heard.body for heard in script.heard}) == 1
    assert script.slept == [1.0, 3.0, 6.0]


def test_a_refusal_is_final() -> None:
    with (
        scripted(problem("refused", 422, refusal="over-a-limit", limit="QOSMax")) as script,
        pytest.raises(GatewayError) as refused,
    ):
        _submit(script.client())
    assert (refused.value.kind, getattr(refused.value, "limit", "")) == ("refused", "QOSMax")
    assert len(script.heard) == 1


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        (problem("not-now", 503, after=30), NotNow),
        (problem("too-fast", 429, after=30), TooFast),
        (Told(503, b"<html>upstream</html>", {"Retry-After": "30"}), NotNow),
        (Told(504, b"<html>upstream</html>", {"Retry-After": "30"}), OutcomeUnknown),
    ],
)
def test_patience_ends(told: Told, raised: type[GatewayError]) -> None:
    with scripted(told) as script, pytest.raises(raised):
        _submit(script.client(patience=timedelta(seconds=10)))
    assert not script.slept


def test_a_gateway_that_is_away_took_nothing() -> None:
    with pytest.raises(NotNow):
        _submit(Gateway("http://127.0.0.1:1", patience=timedelta(0)))


def test_an_answer_of_something_else_is_no_answer() -> None:
    with scripted(Told(404, b"<html>nginx</html>")) as script, pytest.raises(GatewayError) as told:
        _submit(script.client())
    assert "404" in str(told.value)


def test_nobody_is_led_elsewhere_with_the_token() -> None:
    with scripted(Told(200)) as other, scripted(Told(307, b"", {"Location": other.url})) as script:
        with pytest.raises(GatewayError):
            _submit(script.client())
        assert not other.heard


def test_a_requeue_is_asked_once() -> None:
    with scripted(problem("not-now", 503)) as script, pytest.raises(NotNow):
        script.client().steer("requeue", "7")
    assert len(script.heard) == 1


WHOLE = b"0" * CHUNK + b"1234"
CUT = Told(200, WHOLE[:-2], {"ETag": '"a"'}, claims=len(WHOLE))


def test_a_file_that_was_cut_off_is_gone_on_with() -> None:
    with scripted(CUT, Told(206, b"1234", {"ETag": '"a"'})) as script:
        into = io.BytesIO()
        with script.client() as client:
            assert client.take("7", "out file", into) == len(WHOLE)
    assert into.getvalue() == WHOLE
    assert script.heard[1].headers["Range"] == f"bytes={CHUNK}-"
    assert script.heard[1].headers["If-Range"] == '"a"'
    assert script.heard[0].path == "/api/v1/jobs/7/files/out%20file"


def test_a_file_that_changed_meanwhile_is_not_two_files_in_one() -> None:
    with scripted(CUT, Told(200, b"x", {"ETag": '"b"'})) as script, pytest.raises(NotThisFile):
        script.client().take("7", "out", io.BytesIO())


def test_a_file_of_which_nothing_more_comes_is_given_up() -> None:
    nothing = Told(206, b"", {"ETag": '"a"'}, claims=4)
    with scripted(CUT, nothing) as script, pytest.raises(NotNow):
        script.client().take("7", "out", io.BytesIO())


def test_output_is_followed_to_its_end() -> None:
    def piece(data: bytes, following: int, is_last: str) -> Told:
        headers = {"X-Next-Offset": str(following), "X-Complete": is_last}
        return Told(200, data, headers)

    pieces = piece(b"a", 1, "false"), piece(b"", 1, "false"), piece(b"b", 2, "true")
    with scripted(*pieces) as script, script.client() as client:
        assert [*client.follow("7_1")] == [b"a", b"b"]
    assert "offset=1" in script.heard[1].path


@pytest.mark.parametrize("name", ["7/../../me", "7?x", "7#x", "½"])
def test_no_name_of_a_job_leaves_its_place_in_the_address(name: str) -> None:
    with scripted(problem("wrong-ask", 400)) as script, pytest.raises(GatewayError):
        script.client().job(name)
    assert script.heard[0].path.startswith("/api/v1/jobs/7%") or "%C2%BD" in script.heard[0].path
    assert script.heard[0].path.count("/") == 4


def test_a_cluster_is_a_part_of_the_address() -> None:
    with scripted(placed()) as script, Gateway(script.url, "", cluster="a b") as client:
        client.submit("#!/bin/sh\n", key="k")
    assert script.heard[0].path == "/api/v1/clusters/a%20b/jobs"
    assert "Authorization" not in script.heard[0].headers
    assert datetime.fromisoformat(PLACED["submit_time"] or "").tzinfo == UTC


def test_a_list_is_taken_page_by_page_for_the_same_question() -> None:
    with scripted(page(3, 2, following="c+1"), page(1)) as script, script.client() as client:
        found = client.jobs(user="ann", state=("PENDING", "RUNNING"), node="")
        assert [each.job_id for each in found] == ["3", "2", "1"]
    asked = "/api/v1/jobs?limit=1000&user=ann&state=PENDING%2CRUNNING"
    assert [heard.path for heard in script.heard] == [asked, f"{asked}&cursor=c%2B1"]


def test_a_page_that_is_not_wanted_is_not_asked_for() -> None:
    with scripted(page(3, 2, following="c")) as script, script.client() as client:
        assert next(client.jobs()).job_id == "3"
    assert len(script.heard) == 1


def test_changes_are_told_once_each_until_the_job_is_over_and_nothing_is_asked_between() -> None:
    answers = [job("PENDING"), job("PENDING"), job("RUNNING", nodes="n1"), job("COMPLETED")]
    with scripted(*(said(**each) for each in answers)) as script, script.client() as client:
        states = [each.state.base for each in client.changes("7")]
    assert states == ["PENDING", "RUNNING", "COMPLETED"]
    waits = [heard.path.partition("?")[2] for heard in script.heard]
    assert waits == ["", *["wait=60&until=change"] * 3]


def test_what_begins_anew_is_followed_anew() -> None:
    first = Told(200, b"abc", {"X-Next-Offset": "3", "X-Complete": "false"})
    beyond = Told(416, problem("beyond-end", 416).body, {"Content-Range": "bytes */1"})
    again = Told(200, b"x", {"X-Next-Offset": "1", "X-Complete": "true"})
    with scripted(first, beyond, again) as script, script.client() as client:
        assert [*client.follow("7")] == [b"abc", b"x"]
    assert "offset=0" in script.heard[2].path


def test_an_offset_beyond_the_end_says_how_much_there_is() -> None:
    beyond = Told(416, problem("beyond-end", 416).body, {"Content-Range": "bytes */12"})
    with scripted(beyond) as script, pytest.raises(BeyondEnd) as told:
        script.client().output("7", offset=99)
    assert told.value.size == 12


def test_a_file_that_was_begun_earlier_is_gone_on_with() -> None:
    with scripted(Told(206, b"1234", {"ETag": '"a"'})) as script, script.client() as client:
        into = io.BytesIO()
        assert client.take("7", "out", into, begun=Begun(96, '"a"')) == 100
    assert script.heard[0].headers["Range"] == "bytes=96-"
    assert script.heard[0].headers["If-Range"] == '"a"'


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    with scripted(Told(200)) as script, pytest.raises(NotTrusted) as told:
        Gateway(script.url.replace("http:", "https:")).me()
    assert "certificate" in str(told.value)
    assert "_ssl.c" not in str(told.value)


def test_who_one_is_is_asked_of_no_cluster() -> None:
    me: dict[str, object] = {
        "kind": "token",
        "name": "portal",
        "user": None,
        "run_as": "ann",
        "scopes": [],
    }
    with scripted(said(**me)) as script, Gateway(script.url, cluster="lab") as client:
        assert client.me().name == "portal"
    assert script.heard[0].path == "/api/v1/me"


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"{}", b"[]"])
def test_what_is_no_gateways_answer_is_said_to_be_none(body: bytes) -> None:
    with scripted(Told(200, body)) as script, pytest.raises(GatewayError, match="is the address"):
        script.client().job("7")


def test_errands_are_asked_for_by_their_uuid_and_listed_page_by_page() -> None:
    seen: dict[str, Any] = {"id": "m 1", "owner": "token:x", "cluster": "lab", "user": "ann"}
    seen |= {"job_id": "7", "submit_time": None, "state": "PENDING", "stage": "watching"}
    seen |= {"made": "2026-11-30T12:00:00Z", "updated": None, "occasions": ["terminal"]}
    seen |= {"methods": {}, "uuid": "u", "task": None}
    mail = {"email": {"recipient": "ann@example.org"}}
    pages = said(next="c", monitors=[seen]), said(next=None, monitors=[seen])
    answers = (said(**seen), *pages, Told(204), said(next=None, letters=[]))
    with scripted(*answers) as script, Gateway(script.url, cluster="lab") as client:
        errands = client.errands
        made = errands.watch("7", mail, uuid="u")
        assert [each.id for each in errands.monitors(stage="watching")] == ["m 1"] * 2
        errands.forget(made.id)
        assert [*errands.letters(stage="dead")] == []
        with pytest.raises(ValueError, match="twice"):
            errands.submit_task({"name": "generic"})
    body = {"job_id": "7", "methods": mail, "occasions": ["terminal"], "uuid": "u"}
    assert json.loads(script.heard[0].body) == body
    below = "/api/v1/clusters/lab/monitors"
    assert [heard.path for heard in script.heard] == [
        below,
        f"{below}?limit=1000&stage=watching",
        f"{below}?limit=1000&stage=watching&cursor=c",
        f"{below}/m%201",
        "/api/v1/letters?limit=1000&stage=dead",
    ]


def test_the_clusters_are_told_with_what_is_true_of_them_the_default_one_first() -> None:
    limits = {"script_bytes": 1, "variables_bytes": 2, "lookup_marks": 3, "cancelled_jobs": 4}
    told = {"reachable": True, "said": "", "jobs_as_of": None, "slurm": None, "hidden": None}
    rules = {"min_job_age_s": 300, "stores_comments": None, "limits": limits}
    view = {"name": "lab", "is_default": True, **told, **rules}
    with scripted(said(clusters=[view])) as script, script.client() as client:
        (cluster,) = client.clusters()
    assert (cluster.name, cluster.min_job_age_s, cluster.limits.lookup_marks) == ("lab", 300, 3)
    assert script.heard[0].path == "/api/v1/clusters"
