"""What each command asks for, and what it prints of the answer."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.cli.typist import Said, Typist
from tests.unit.gateway.scripted import Scripted, Told, job, page, placed, problem, said, scripted
from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.arguments import parse
from waldur_slurm.gateway.errors import NotNow, NotThere
from waldur_slurm.gateway.taking import CHUNK

HOSTILE = "\x1b]0;pwned\x07\r\nroot 0 RUNNING\x9b1m\u202egnp"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are local: let them be the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")


def typed(script: Scripted, *words: str, is_terminal: bool = False, **environ: str) -> Said:
    return Typist(script.client(), is_terminal, {"TERM": "xterm", **environ}).types(*words)


def one_page(*jobs: dict[str, Any], following: str | None = None) -> Told:
    head = {"cluster": "lab", "as_of": "2026-11-30T12:00:00Z", "total": 9, "unreadable": 0}
    return said(**head, next=following, jobs=jobs)


def test_jobs_are_a_table_for_people() -> None:
    waiting = job("PENDING", job_id="8")
    waiting["state"]["reason"] = "Priority"
    running = job("RUNNING", nodes="n1", name=HOSTILE)
    with scripted(one_page(waiting, running)) as script:
        told = typed(script, "jobs", "--user", "ann", "--state", "PENDING,RUNNING")
    assert told.code == 0
    head, first, second = told.out.splitlines()
    assert head.split()[:5] == ["JOB", "USER", "ACCOUNT", "PARTITION", "STATE"]
    assert first.endswith("(Priority)")
    assert second.isprintable()
    assert "\\u001b]0;pwned" in second
    assert script.heard[0].path.endswith("user=ann&state=PENDING%2CRUNNING")


def test_colours_are_for_terminals_that_want_them() -> None:
    answers = [page(1) for _ in range(4)]
    with scripted(*answers) as script:
        assert "\x1b[32mRUNNING" in typed(script, "jobs", is_terminal=True).out
        assert "\x1b" not in typed(script, "jobs", is_terminal=True, NO_COLOR="1").out
        assert "\x1b" not in typed(script, "jobs", is_terminal=True, TERM="dumb").out
        assert "\x1b" not in typed(script, "jobs").out


def test_json_is_what_the_api_says_of_all_pages_and_ascii() -> None:
    pages = one_page(job("RUNNING", name=HOSTILE), following="c"), one_page(job("RUNNING"))
    with scripted(*pages) as script:
        told = typed(script, "jobs", "--json")
    data = json.loads(told.out)
    assert told.out.isascii()
    assert "\x1b" not in told.out
    assert [each["name"] for each in data["jobs"]] == [HOSTILE, "job"]
    assert (data["total"], data["next"], data["as_of"]) == (9, None, "2026-11-30T12:00:00Z")


def test_csv_has_a_column_for_each_thing_and_times_in_utc() -> None:
    with scripted(page(7)) as script:
        told = typed(script, "jobs", "--csv")
    (row,) = csv.DictReader(io.StringIO(told.out))
    assert (row["job_id"], row["user"], row["submit"]) == ("7", "ann", "2026-11-30T12:00:00+00:00")


def test_no_more_is_asked_for_than_is_wanted_and_that_there_is_more_is_said() -> None:
    with scripted(page(3, 2, following="c")) as script:
        told = typed(script, "history", "--limit", "2")
    assert len(told.out.splitlines()) == 3
    assert told.err == "There are more than 2; --limit 0 lists all of them.\n"
    assert "limit=2" in script.heard[0].path


def test_a_job_that_waits_is_shown_with_why_and_when() -> None:
    fact = {"about": "qos", "name": "q", "says": "QoS q allows a user 2 jobs."}
    reason = {
        "word": "QOSMaxJobsPerUserLimit",
        "category": "limit",
        "whose": "user",
        "says": "Enough.",
        "evidence": [{**fact, "limit": 2, "used": 2}],
        "advice": "Wait.",
        "passes": True,
    }
    start = {"kind": "unknown", "start": None, "looked_at": None, "says": "Nobody knows."}
    head = {"cluster": "lab", "as_of": "2026-11-30T12:00:00Z", "job_id": "7", "phase": "pending"}
    answer = said(**head, reason=reason, estimate=start)
    with scripted(said(**job("PENDING")), answer) as script:
        told = typed(script, "show", "7")
    assert told.out.splitlines()[-4:] == [
        "Waits:     Enough. (QOSMaxJobsPerUserLimit)",
        "           QoS q allows a user 2 jobs.",
        "To do:     Wait.",
        "Starts:    Nobody knows.",
    ]


def test_a_job_that_has_ended_is_shown_with_what_it_used() -> None:
    used = {"cpu": 0.5, "memory": 0.25, "gpu": None, "time": 0.1, "cpu_seconds": 30.0}
    efficiency = {**used, "most_memory_bytes": 3 * 1024**2}
    with scripted(said(**job("COMPLETED", efficiency=efficiency))) as script:
        told = typed(script, "show", "7")
    assert told.out.splitlines()[-1] == (
        "Used:      50% of its CPUs' time, 25% of its memory (3.0 MiB at most),"
        " 10% of its time limit"
    )
    assert "efficiency=true" in script.heard[0].path


@pytest.mark.parametrize(
    ("outcome", "code"), [("success", 0), ("failed", 1), ("timeout", 3), ("cancelled", 4)]
)
def test_wait_exits_with_how_the_job_ended(outcome: str, code: int) -> None:
    ended = job("COMPLETED", outcome=outcome)
    with scripted(said(**job("PENDING")), said(**job("RUNNING")), said(**ended)) as script:
        told = typed(script, "wait", "7")
    assert told.code == code
    assert told.out == "Job 7 is COMPLETED, exit code 0:0, after 00:01:00.\n"
    assert [heard.path.partition("?")[2] for heard in script.heard[1:]] == [
        "wait=60&until=change"
    ] * 2


def test_wait_gives_up_when_its_time_is_over_and_says_so() -> None:
    with scripted(said(**job("RUNNING"))) as script:
        told = typed(script, "wait", "7", "--timeout", "0")
    assert (told.code, told.out) == (8, "Job 7 is RUNNING, after 00:01:00.\n")


def test_wait_until_it_started_is_done_when_it_runs() -> None:
    with scripted(said(**job("PENDING")), said(**job("RUNNING"))) as script:
        assert typed(script, "wait", "7", "--until", "started").code == 0
    assert script.heard[1].path.endswith("until=started")


def test_submit_prints_the_number_alone_and_tells_its_key_before(tmp_path: Path) -> None:
    script_file = tmp_path / "job.sh"
    script_file.write_text("#!/bin/sh\n")
    lost = problem("outcome-unknown", 504, after=1)
    with scripted(Told(None), lost, placed(200)) as script:
        options = ("--time", "30:00", "-n", "2", "--hold", "--exclusive", "--nice=-5")
        told = typed(script, "submit", *options, str(script_file))
    assert (told.code, told.out) == (0, "7\n")
    (key,) = {heard.headers["Idempotency-Key"] for heard in script.heard}
    assert told.err.splitlines()[0].startswith(f"Its key is {key}:")
    body = json.loads(script.heard[0].body)
    assert body == {
        "script": "#!/bin/sh\n",
        "options": {"time": "30:00", "ntasks": "2", "hold": True, "exclusive": True, "nice": "-5"},
    }


def test_submit_that_never_hears_says_how_to_find_out(tmp_path: Path) -> None:
    script_file = tmp_path / "job.sh"
    script_file.write_text("#!/bin/sh\n")
    lost = problem("outcome-unknown", 504, after=600)
    with scripted(lost) as script:
        told = typed(script, "submit", "--key", "k 1"[:1], str(script_file))
    assert (told.code, told.out) == (75, "")
    assert "the same command with --key k finds out" in told.err


def test_submit_and_wait_is_one_command(tmp_path: Path) -> None:
    script_file = tmp_path / "job.sh"
    script_file.write_text("#!/bin/sh\n")
    with scripted(placed(), said(**job("FAILED", outcome="failed"))) as script:
        told = typed(script, "submit", "--wait", str(script_file))
    assert (told.code, told.out) == (1, "7\n")
    assert "Job 7 is FAILED" in told.err


def test_a_script_that_is_not_there_or_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_bytes(b"\xff")
    for name, words in ((tmp_path / "none", "No such file"), (odd, "no UTF-8")):
        with scripted() as script, pytest.raises(SettingsError, match=words):
            typed(script, "submit", str(name))


def test_one_job_that_is_not_there_does_not_keep_the_others_from_being_cancelled() -> None:
    with scripted(problem("not-there", 404), Told(204)) as script:
        told = typed(script, "cancel", "7", "8")
    assert told.code == 66
    assert told.err == "slurm-gateway: job 7: why\n"
    assert [heard.method for heard in script.heard] == ["DELETE", "DELETE"]


def test_hold_and_release_touch_the_job_that_is_meant_alone() -> None:
    with scripted(Told(204), Told(204)) as script:
        assert typed(script, "hold", "7", "--submitted", "2026-11-30T12:00:00").code == 0
        assert typed(script, "release", "7", "--mark", "m").code == 0
    assert script.heard[0].path == "/api/v1/jobs/7/hold"
    assert script.heard[0].headers["If-Match"] == '"2026-11-30T12:00:00Z"'
    assert script.heard[1].path == "/api/v1/jobs/7/release?mark=m"


def piece(data: bytes, following: int, is_last: bool) -> Told:
    headers = {"X-Next-Offset": str(following), "X-Complete": str(is_last).lower()}
    return Told(200, data, headers)


def test_tail_shows_the_last_lines_and_follows_on_from_there() -> None:
    with scripted(piece(b"1\n2\n3\n", 6, False), piece(b"4\n", 8, True)) as script:
        told = typed(script, "tail", "7", "-n", "2", "-f")
    assert told.out == "2\n3\n4\n"
    assert "offset=6" in script.heard[1].path


def test_tail_escapes_on_a_terminal_and_nowhere_else() -> None:
    text = "\x1b[31mrød\x1b[0m\tx\n".encode()
    halves = piece(text[:6], 6, False), piece(text[6:], len(text), True)
    with scripted(*halves, *halves, *halves) as script:
        shown = typed(script, "tail", "7", "-n", "all", is_terminal=True).out
        piped = typed(script, "tail", "7", "-n", "all").out
        raw = typed(script, "tail", "7", "-n", "all", "--raw", is_terminal=True).out
    assert shown == "\\u001b[31mrød\\u001b[0m\tx\n"
    assert piped.encode() == raw.encode() == text


WHOLE = b"0" * CHUNK + b"1234"
AWAY = problem("not-now", 503, after=600)


def got(script: Scripted, path: str, into: Path) -> Said:
    return typed(script, "files", "get", "7", path, "--into", str(into))


def test_files_are_got_and_go_on_where_they_were_cut_off(tmp_path: Path) -> None:
    tag = {"ETag": '"v1"'}
    looked, cut = Told(200, WHOLE, tag), Told(200, WHOLE[:-2], tag, claims=len(WHOLE))
    with scripted(looked, cut, AWAY) as script, pytest.raises(NotNow):
        got(script, "out/a", tmp_path)
    with scripted(looked, Told(206, b"1234", tag)) as script:
        told = got(script, "out/a", tmp_path)
    assert told.out == f"{tmp_path}/out/a\n"
    assert (tmp_path / "out/a").read_bytes() == WHOLE
    assert script.heard[1].headers["Range"] == f"bytes={CHUNK}-"
    assert [*(tmp_path / "out").iterdir()] == [tmp_path / "out/a"]


def test_a_part_of_another_version_is_not_gone_on_with(tmp_path: Path) -> None:
    old, new = {"ETag": '"v1"'}, Told(200, b"newer", {"ETag": '"v2"'})
    cut = Told(200, WHOLE[:-2], old, claims=len(WHOLE))
    with scripted(Told(200, WHOLE, old), cut, AWAY) as script, pytest.raises(NotNow):
        got(script, "a", tmp_path)
    with scripted(new, new) as script:
        got(script, "a", tmp_path)
    assert (tmp_path / "a").read_bytes() == b"newer"
    assert "Range" not in script.heard[1].headers


def test_a_file_that_was_changed_just_now_is_begun_anew(tmp_path: Path) -> None:
    weak = {"ETag": 'W/"v1"'}
    cut = Told(200, WHOLE[:-2], weak, claims=len(WHOLE))
    with scripted(Told(200, WHOLE, weak), cut, AWAY) as script, pytest.raises(NotNow):
        got(script, "a", tmp_path)
    with scripted(Told(200, WHOLE, weak), Told(200, WHOLE, weak)) as script:
        got(script, "a", tmp_path)
    assert (tmp_path / "a").read_bytes() == WHOLE
    assert "Range" not in script.heard[1].headers


def test_a_file_that_is_there_is_overwritten_only_where_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with scripted() as script, pytest.raises(SettingsError, match="--force"):
        typed(script, "files", "get", "7", "a", "--into", str(tmp_path))
    assert (tmp_path / "a").read_text() == "mine"


def test_no_gateway_writes_outside_of_the_directory(tmp_path: Path) -> None:
    evil = {"path": "../x", "size": 1, "mtime": "2026-11-30T12:00:00Z"}
    listed = Told(200, json.dumps([{**evil, "href": "/api/v1/jobs/7/files/..%2Fx"}]).encode())
    with scripted(listed) as script, pytest.raises(SettingsError, match="leads down"):
        typed(script, "files", "get", "7", "*", "--into", str(tmp_path))
    with scripted(Told(200, b"[]")) as script, pytest.raises(NotThere, match="fits"):
        typed(script, "files", "get", "7", "*.csv", "--into", str(tmp_path))


@pytest.mark.parametrize(
    "words",
    [
        ["show", "../me"],
        ["show"],
        ["wait", "7", "--timeout", "soon"],
        ["history", "--since", "yesterday"],
        ["jobs", "--limit", "-1"],
        ["jobs", "--us", "ann"],
        ["submit"],
        ["submit", "--clusters", "x", "job.sh"],
        ["token", "job", "7", "--scopes", "jobs:cancel"],
        ["files", "get", "7"],
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert "usage: slurm-gateway" in capsys.readouterr().err
