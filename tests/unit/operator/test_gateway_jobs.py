"""Through a gateway: what it says no with is an error of the port's, and no turn waits for long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.scripted import Scripted, Told, job, placed, problem, said, scripted
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.check.facts import TokenFacts
from waldur_slurm.operator.jobs.port import (
    AnotherJob,
    JobRef,
    JobsError,
    NotAllowed,
    OutcomeUnknown,
    Refused,
    TaskCounts,
    Unreached,
    Wanted,
)
from waldur_slurm.operator.ways.gateway_jobs import MOST_MARKS, GatewayJobs

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SEVEN = JobRef("7", NOON, "k8s:m", "ann")
WANTED = Wanted("uid", "k8s:m", "#!/bin/sh\n", "ann", {"mem": "10"})
NOTHING_FOUND = {"as_of": "2026-11-30T12:00:01Z", "jobs": [], "said": ""}
CLUSTER = {
    "name": "lab",
    "is_default": True,
    "reachable": True,
    "said": "",
    "jobs_as_of": None,
    "slurm": "22.05.8",
    "min_job_age_s": 300,
    "stores_comments": True,
    "limits": {"script_bytes": 1, "variables_bytes": 1, "lookup_marks": 1, "cancelled_jobs": 1},
    "hidden": None,
}


def jobs_of(script: Scripted, token: Path | None = None) -> GatewayJobs:
    patience = timedelta(seconds=3)
    return GatewayJobs(
        lambda text, _: Gateway(script.url, text, patience=patience, sleep=script.slept.append),
        token,
    )


def found(
    *jobs: dict[str, Any], absent: tuple[str, ...] = (), unknown: tuple[str, ...] = ()
) -> Told:
    return said(**NOTHING_FOUND | {"jobs": jobs, "absent": absent, "unknown": unknown})


# What went wrong


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        (problem("refused", 422, refusal="bad-script"), Refused),
        (problem("denied", 403), NotAllowed),
        (problem("wrong-ask", 400), Refused),
        (problem("too-large", 413), Refused),
        (problem("not-signed-in", 401), Unreached),
        (problem("not-there", 404), Unreached),
        (problem("not-now", 503, after=30), Unreached),
        (problem("too-fast", 429, after=30), Unreached),
        (problem("busy", 409, after=30), Unreached),
        (problem("not-offered", 501), Unreached),
        (problem("other-body", 409), OutcomeUnknown),
        (problem("outcome-unknown", 504, after=30), OutcomeUnknown),
        (problem("failed", 500), OutcomeUnknown),
        (Told(404, b"<html>nginx</html>"), OutcomeUnknown),
        (Told(201, b"not a job"), OutcomeUnknown),
    ],
)
def test_only_what_will_never_be_fails_a_job(told: Told, raised: type[JobsError]) -> None:
    with scripted(told) as script, pytest.raises(raised):
        jobs_of(script).submit(WANTED)
    assert (len(script.heard), script.slept) == (1, [])


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        (problem("not-this-job", 412), AnotherJob),
        (problem("refused", 422), Refused),
        (problem("not-now", 503, after=30), Unreached),
        (problem("outcome-unknown", 504, after=30), OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("act", ["cancel", "hold", "release", "requeue_held"])
def test_what_is_done_to_a_job_is_guarded(act: str, told: Told, raised: type[JobsError]) -> None:
    with scripted(told) as script, pytest.raises(raised):
        getattr(jobs_of(script), act)(SEVEN)
    (heard,) = script.heard
    assert heard.headers["If-Match"] == '"2026-11-30T12:00:00Z"'
    assert heard.path.endswith("?mark=k8s%3Am")


def test_a_job_that_is_gone_needs_no_cancel_but_cannot_be_held() -> None:
    gone = problem("not-there", 404)
    with scripted(gone, gone) as script:
        jobs_of(script).cancel(SEVEN)
        with pytest.raises(Refused):
            jobs_of(script).hold(SEVEN)
    assert len(script.heard) == 2


def test_a_job_is_handed_in_once_more_within_a_turn_and_with_its_key() -> None:
    with scripted(Told(None), placed(200)) as script:
        assert jobs_of(script).submit(WANTED) == SEVEN
    assert [heard.headers["Idempotency-Key"] for heard in script.heard] == ["uid", "uid"]
    assert sum(script.slept) <= 3


def test_one_that_is_not_trusted_was_asked_nothing_and_it_is_said_what_to_do() -> None:
    def opens(token: str, _: bool | str) -> Gateway:
        return Gateway(script.url.replace("http:", "https:"), token, patience=timedelta(0))

    with scripted(Told(200)) as script:
        jobs = GatewayJobs(opens, None)
        with pytest.raises(Unreached) as told:
            jobs.submit(WANTED)
        assert jobs.look_up(["m"]).said == str(told.value)
    assert "certificate is not trusted" in str(told.value)
    assert "as ca.crt into the cluster's Secret" in str(told.value)


def test_whom_to_trust_may_be_said_and_taken_back_at_any_time(tmp_path: Path) -> None:
    trusted: list[bool | str] = []
    file = tmp_path / "ca.crt"

    def opens(token: str, trust: bool | str) -> Gateway:
        trusted.append(trust)
        return Gateway(script.url, token)

    with scripted(*[found()] * 5) as script:
        jobs = GatewayJobs(opens, None, file)
        jobs.look_up(["m"])
        file.write_text("PEM")
        jobs.look_up(["m"])
        jobs.look_up(["m"])
        file.unlink()
        jobs.look_up(["m"])
    assert trusted == [True, str(file), True]


def test_a_gateway_that_is_away_leaves_every_mark_unknown() -> None:
    jobs = GatewayJobs(lambda *_: Gateway("http://127.0.0.1:1", patience=timedelta(0)), None)
    looked = jobs.look_up(["a", "b"])
    assert ({*looked.unknown}, {*looked.absent}, bool(looked.said)) == ({"a", "b"}, set(), True)
    with pytest.raises(Unreached):
        jobs.submit(WANTED)
    with pytest.raises(Unreached):
        jobs.list_marked("k8s:")


# The token


def test_a_rotated_token_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    nothing = found(absent=("a",))
    with scripted(nothing, nothing, nothing) as script:
        jobs = jobs_of(script, file)
        jobs.look_up(["a"])
        jobs.look_up(["a"])
        file.write_text("second\n")
        jobs.look_up(["a"])
    shown = [heard.headers["Authorization"] for heard in script.heard]
    assert shown == ["Bearer first", "Bearer first", "Bearer second"]


@pytest.mark.parametrize(
    ("run_as", "users"),
    [("ann,bob", frozenset({"slurm-jobs", "ann", "bob"})), ("ann,@teams", None), ("any", None)],
)
def test_what_its_token_opens_is_told(run_as: str, users: frozenset[str] | None) -> None:
    rights = [("jobs:read", True), ("jobs:submit", False)]
    may = [{"scope": scope, "means": "", "allowed": is_so, "why": ""} for scope, is_so in rights]
    me = said(kind="token", name="operator", user="slurm-jobs", run_as=run_as, scopes=may)
    with scripted(me) as script:
        told = jobs_of(script).read_token_facts()

    assert told == TokenFacts(frozenset({"jobs:read"}), users)


def test_without_its_token_nothing_is_asked(tmp_path: Path) -> None:
    with scripted() as script:
        jobs = jobs_of(script, tmp_path / "token")
        with pytest.raises(Unreached, match=r"/token: No such file or directory$"):
            jobs.submit(WANTED)
        assert jobs.look_up(["a"]).unknown == {"a"}
    assert not script.heard


def test_a_token_of_another_job_is_not_handed_out() -> None:
    made = {"token": "t", "id": "i", "job_id": 7, "scopes": [], "expires": "2026-12-01T00:00:00Z"}
    other = said(**made, submit_time="2026-11-30T13:00:00Z")
    with scripted(said(**made, submit_time="2026-11-30T12:00:00Z"), other) as script:
        assert jobs_of(script).make_token(SEVEN, timedelta(hours=1)) == "t"
        with pytest.raises(AnotherJob):
            jobs_of(script).make_token(SEVEN, timedelta(hours=1))


# What is seen


def test_a_cycle_takes_one_request_for_a_thousand_jobs() -> None:
    nothing = found()
    with scripted(nothing, nothing) as script:
        jobs_of(script).look_up([f"m{number}" for number in range(MOST_MARKS)])
        assert len(script.heard) == 1
        jobs_of(script).look_up([])
    assert len(script.heard) == 1


def test_more_are_looked_up_in_pieces_and_told_as_one() -> None:
    marks = [f"m{number:04}" for number in range(MOST_MARKS + 1)]
    first = found(job("RUNNING", mark="m0000"), absent=tuple(marks[1:MOST_MARKS]))
    last = {"as_of": "2026-11-30T11:59:59Z", "jobs": [], "absent": [], "said": "silence"}
    with scripted(first, said(**last, unknown=["m1000"], tried=["m1000"])) as script:
        looked = jobs_of(script).look_up(marks)
    assert {*looked.tried} == {"m1000"}
    assert (len(looked.absent), {*looked.unknown}) == (999, {"m1000"})
    assert looked.jobs["m0000"].state == JobState("RUNNING")
    assert (looked.as_of, looked.said) == (NOON - timedelta(seconds=1), "silence")


def test_of_several_jobs_with_one_mark_none_is_told() -> None:
    """A user can put another's mark on a job of his own."""
    bobs = job("RUNNING", mark="k8s:m", job_id="8", user="bob")
    with scripted(found(job("RUNNING", mark="k8s:m"), bobs)) as script:
        looked = jobs_of(script).look_up(["k8s:m"])
    assert ({**looked.jobs}, {*looked.unknown}) == ({}, {"k8s:m"})
    assert looked.said == "several jobs carry the mark k8s:m: 7, 8"


def _task(state: str, job_id: str, **more: Any) -> dict[str, Any]:
    return job(state, job_id=job_id, mark="k8s:m", **more)


def test_an_array_is_one_job_with_its_counts() -> None:
    failed = {"outcome": "failed", "exit": {"code": 3, "signal": 0}}
    rows = (
        _task("PENDING", "7_[4-9%2]"),
        _task("RUNNING", "7_1"),
        _task("COMPLETED", "7_2"),
        _task("FAILED", "7_3", **failed),
    )
    with scripted(found(*rows)) as script:
        seen = jobs_of(script).look_up(["k8s:m"]).jobs["k8s:m"]
    assert seen.tasks == TaskCounts(total=9, pending=6, running=1, succeeded=1, failed=1)
    assert (seen.ref.job_id, seen.state) == ("7", JobState("RUNNING"))


def test_an_array_came_to_what_its_worst_task_came_to() -> None:
    failed = {"outcome": "failed", "exit": {"code": 3, "signal": 0}}
    rows = (_task("COMPLETED", "7_1"), _task("FAILED", "7_2", **failed))
    with scripted(found(*rows)) as script:
        seen = jobs_of(script).look_up(["k8s:m"]).jobs["k8s:m"]
    assert (seen.state, seen.exit_code) == (JobState("FAILED"), 3)


def test_who_cancelled_a_job_is_told_as_slurm_has_it() -> None:
    raw = {"base": "CANCELLED", "flags": [], "raw": "CANCELLED by 1000", "reason": "None"}
    with scripted(found(_task("CANCELLED", "7") | {"state": raw})) as script:
        seen = jobs_of(script).look_up(["k8s:m"]).jobs["k8s:m"]
    assert str(seen.state) == "CANCELLED by 1000"


def test_facts_are_of_the_default_cluster() -> None:
    with scripted(said(clusters=[CLUSTER])) as script:
        facts = jobs_of(script).read_facts()
    assert (facts.version, facts.keeps_comments) == ("22.05.8", True)
    assert facts.min_job_age == timedelta(minutes=5)


@pytest.mark.parametrize("age", [0, None])
def test_a_slurm_that_forgets_nothing_is_not_one_that_has_not_said(age: int | None) -> None:
    with scripted(said(clusters=[CLUSTER | {"min_job_age_s": age}])) as script:
        facts = jobs_of(script).read_facts()
    assert facts.min_job_age == (timedelta.max if age == 0 else timedelta(0))


def test_facts_of_a_silent_slurm_are_none() -> None:
    silent = CLUSTER | {"reachable": False, "said": "slurmctld does not answer"}
    with scripted(said(clusters=[silent])) as script, pytest.raises(Unreached, match="slurmctld"):
        jobs_of(script).read_facts()
