"""A job's output: read piece by piece, waited for, followed; complete only where it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.cluster import BEGAN, live_job
from tests.fakes.past import past_run
from tests.gateway_client import Answered
from tests.unit.gateway.site import GatewaySite, somebody
from tests.unit.gateway.web.files_site import ANN, BOB, OUTPUT, WORK, FilesSite, only, problem
from waldur_slurm.errors import AccountingDown, NotPermitted
from waldur_slurm.gateway.doors.principals import RunAs
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.model.batch import JobId, Task, job_id
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastOutput

OUT = f"{WORK}/slurm-1.out"


@pytest.fixture
def site() -> FilesSite:
    return FilesSite()


def said(answer: Answered) -> tuple[bytes, str, str]:
    assert answer.status == 200, answer.text
    return answer.body, answer.headers["x-next-offset"], answer.headers["x-complete"]


def test_a_piece_says_where_the_next_one_begins(site: FilesSite) -> None:
    site.tree.write(OUT, b"0123456789")

    assert said(site.get(f"{OUTPUT}?limit=4")) == (b"0123", "4", "false")
    assert said(site.get(f"{OUTPUT}?offset=4")) == (b"456789", "10", "false")
    assert said(site.get(f"{OUTPUT}?offset=10")) == (b"", "10", "false")
    assert said(site.get(f"{OUTPUT}?tail=3")) == (b"789", "10", "false")
    assert said(site.get(f"{OUTPUT}?tail=99")) == (b"0123456789", "10", "false")


def test_a_read_may_have_a_mebibyte(site: FilesSite) -> None:
    site.tree.write(OUT, b"x" * 3_000_000)

    assert len(site.get(OUTPUT).body) == 1024 * 1024
    assert site.get(f"{OUTPUT}?limit=1048577").status == 400


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CANCELLED"])
def test_it_is_complete_when_the_job_is_over_and_all_was_read(site: FilesSite, state: str) -> None:
    site.tree.write(OUT, b"0123456789")
    site.put(1, state=state)

    assert said(site.get(f"{OUTPUT}?limit=9")) == (b"012345678", "9", "false")
    assert said(site.get(f"{OUTPUT}?limit=10")) == (b"0123456789", "10", "true")
    assert said(site.get(f"{OUTPUT}?offset=10")) == (b"", "10", "true")
    assert said(site.get(f"{OUTPUT}?tail=2")) == (b"89", "10", "true")


def test_a_job_that_will_run_again_is_never_complete(site: FilesSite) -> None:
    site.tree.write(OUT, b"before")
    row = site.gateway.cluster.jobs[1]
    site.gateway.cluster.put(row._replace(state=JobState("COMPLETED", ("REQUEUED",))))

    assert said(site.get(OUTPUT)) == (b"before", "6", "false")


def test_what_has_not_been_written_yet_is_nothing_so_far(site: FilesSite) -> None:
    assert said(site.get(OUTPUT)) == (b"", "0", "false")
    site.put(1, state="PENDING")
    assert said(site.get(OUTPUT)) == (b"", "0", "false")


def test_what_is_missing_in_the_end_is_said_to_be(site: FilesSite) -> None:
    site.put(1, state="COMPLETED")

    answer = site.get(OUTPUT)

    assert problem(answer) == (404, "not-there")
    assert OUT in answer.json["detail"]


def test_output_that_began_anew_is_no_end(site: FilesSite) -> None:
    site.tree.write(OUT, b"short")

    answer = site.get(f"{OUTPUT}?offset=6")

    assert problem(answer) == (416, "beyond-end")
    assert answer.headers["content-range"] == "bytes */5"
    site.tree.nodes.clear()
    site.tree.add("/home/ann", "directory")
    site.tree.write(f"{WORK}/x", b"")
    assert problem(site.get(f"{OUTPUT}?offset=6")) == (416, "beyond-end")


def test_errors_are_where_all_is_unless_the_job_named_a_file(site: FilesSite) -> None:
    site.tree.write(OUT, b"out")
    site.tree.write(f"{WORK}/e-1", b"err")

    assert site.get(f"{OUTPUT}?stream=err").body == b"out"
    site.put(1, state="RUNNING", stderr="e-%j")
    assert site.get(f"{OUTPUT}?stream=err").body == b"err"
    assert site.get(f"{OUTPUT}?stream=out").body == b"out"
    assert site.get(f"{OUTPUT}?stream=both").status == 400


def test_a_task_of_an_array_has_an_output_of_its_own(site: FilesSite) -> None:
    for number, part in ((26, "1_7"), (1, "1_[8-9]")):
        name = f"{WORK}/slurm-{number}.out"
        state = "RUNNING" if number == 26 else "PENDING"
        site.put(number, id=job_id(part), state=state, stdout=name, stderr=name)
    site.tree.write(f"{WORK}/slurm-1_7.out", b"seven")

    asked = f"{WORK}/slurm-%A_%a.out"
    listed = site.get("/api/v1/jobs").json["jobs"]
    told = {job["job_id"]: (job["stdout"], job["stderr"]) for job in listed}
    assert told == dict.fromkeys(("1_7", "1_[8-9]"), (asked, asked))
    assert site.get(f"{OUTPUT}?task=7").body == b"seven"
    assert site.get("/api/v1/jobs/1_7/output").body == b"seven"
    assert site.get("/api/v1/jobs/1_7/output?task=7").body == b"seven"
    assert site.get("/api/v1/jobs/26/output").body == b"seven"
    assert said(site.get(f"{OUTPUT}?task=8")) == (b"", "0", "false")
    assert problem(site.get(f"{OUTPUT}?task=1")) == (404, "not-there")
    assert problem(site.get("/api/v1/jobs/1_7/output?task=8")) == (400, "wrong-ask")
    answer = site.get(OUTPUT)
    assert problem(answer) == (400, "wrong-ask")
    assert "task=" in answer.json["detail"]


def test_a_heterogeneous_job_writes_where_its_first_component_runs(site: FilesSite) -> None:
    for offset in (1, 0):
        site.put(1 + offset, id=job_id(f"1+{offset}"), state="RUNNING")
    site.tree.write(OUT, b"het")

    assert site.get(OUTPUT).body == b"het"


@pytest.mark.parametrize("stdout", ["/dev/null", "odd\\name", "x-%5%"])
def test_what_cannot_be_read_says_why(site: FilesSite, stdout: str) -> None:
    site.put(1, state="RUNNING", stdout=stdout)

    assert problem(site.get(OUTPUT)) == (404, "not-there")


def test_anothers_job_of_the_past_is_as_one_that_is_not_there(site: FilesSite) -> None:
    site.remember(5)

    answer = site.get("/api/v1/jobs/5/output", BOB)

    assert problem(answer) == (404, "not-there")
    assert "or none that you may see" in answer.json["detail"]


def test_a_job_of_the_past_whose_file_nobody_remembers_is_said_to_be(site: FilesSite) -> None:
    site.remember(5)

    answer = site.get("/api/v1/jobs/5/output")

    assert problem(answer) == (404, "not-there")
    assert "not remembered" in answer.json["detail"]


def test_where_a_job_of_the_past_wrote_is_told_by_an_accounting_that_keeps_it(
    site: FilesSite,
) -> None:
    site.tree.write(f"{WORK}/o-5", b"kept")
    site.remember(5)
    site.gateway.history.outputs.append(PastOutput(JobId(5), BEGAN, "o-%j", ""))

    assert said(site.get("/api/v1/jobs/5/output")) == (b"kept", "4", "true")


def test_what_the_accounting_keeps_of_another_job_of_that_number_is_not_believed(
    site: FilesSite,
) -> None:
    site.tree.write(f"{WORK}/o-5", b"another's")
    site.remember(5)
    later = BEGAN + timedelta(days=1)
    site.gateway.history.outputs.append(PastOutput(JobId(5), later, "o-%j", ""))

    assert problem(site.get("/api/v1/jobs/5/output")) == (404, "not-there")


def test_where_a_job_that_was_handed_in_here_wrote_is_remembered(site: FilesSite) -> None:
    site.tree.write(f"{WORK}/slurm-5_2.out", b"kept")
    run = past_run(5, work_dir=WORK, id=JobId(5, Task(2)))
    site.gateway.history.runs.append(replace(run, number=7))
    placed = Placed(JobId(5), "lab", BEGAN, WORK, f"{WORK}/slurm-5.out", "")
    key = Key("token:portal", "k")
    site.gateway.journal.kept[key] = Attempt(
        key, "lab", UserName("ann"), "f", "m", BEGAN, BEGAN, placed=placed
    )

    assert said(site.get("/api/v1/jobs/5/output?task=2")) == (b"kept", "4", "true")
    site.gateway.journal.is_broken = True
    assert problem(site.get("/api/v1/jobs/5/output?task=2")) == (503, "not-now")


def test_of_jobs_of_one_number_each_sees_his_own_and_the_newest_is_meant(site: FilesSite) -> None:
    site.trees["bob"].write("/home/bob/his", b"his")
    old = BEGAN - timedelta(days=9)
    site.remember(5, user=UserName("bob"), submitted=old, work_dir="/home/bob")
    site.remember(5, submitted=old - timedelta(days=1), work_dir="/home/ann")
    site.remember(5)

    assert site.get("/api/v1/jobs/5/files/job.sh").status == 200
    assert site.get("/api/v1/jobs/5/files/job.sh", BOB).status == 404
    assert site.get("/api/v1/jobs/5/files/his", BOB).body == b"his"


def test_anothers_job_takes_as_long_as_one_that_is_not_there(site: FilesSite) -> None:
    """Both are looked for in a younger list and in the accounting, or neither would be."""
    site.gateway.history.go_down()

    theirs, none = site.get(OUTPUT, BOB), site.get("/api/v1/jobs/9/output", BOB)

    assert problem(theirs) == problem(none) == (503, "not-now")


def test_a_link_and_what_lies_outside_of_the_roots_are_refused(site: FilesSite) -> None:
    site.tree.link(OUT, "/etc/passwd")
    assert problem(site.get(OUTPUT)) == (403, "denied")

    for path in ("/etc/passwd", "../../bob/f", "/home/bob/f"):
        site.put(1, state="RUNNING", stdout=path)
        assert problem(site.get(OUTPUT)) == (403, "denied")


def test_a_silent_slurm_makes_nothing_complete(site: FilesSite) -> None:
    site.gateway.cluster.forget(1)
    site.gateway.history.go_down()

    assert problem(site.get(OUTPUT)) == (503, "not-now")


def test_a_part_is_had_as_of_any_file(site: FilesSite) -> None:
    site.tree.write(OUT, b"0123456789")

    answer = site.get(OUTPUT, range="bytes=2-4")

    assert (answer.status, answer.body) == (206, b"234")
    assert answer.headers["content-range"] == "bytes 2-4/10"
    assert answer.headers["accept-ranges"] == "bytes"
    assert problem(site.get(OUTPUT, range="bytes=10-")) == (416, "beyond-end")
    assert problem(site.get(f"{OUTPUT}?offset=1", range="bytes=1-")) == (400, "wrong-ask")
    assert problem(site.get(f"{OUTPUT}?offset=1&tail=1")) == (400, "wrong-ask")


def test_no_browser_runs_what_a_job_writes(site: FilesSite) -> None:
    site.tree.write(OUT, b"<script>alert(1)</script>")

    for headers in ({}, {"range": "bytes=0-"}):
        answer = site.get(OUTPUT, ANN, **headers)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")


# Who may


def test_anothers_job_is_as_one_that_is_not_there(site: FilesSite) -> None:
    site.tree.write(OUT, b"secret")

    theirs, none = site.get(OUTPUT, BOB), site.get("/api/v1/jobs/9/output", BOB)

    assert problem(theirs) == problem(none) == (404, "not-there")
    assert theirs.json["detail"].replace("1", "9") == none.json["detail"]
    assert site.tree.acts == 0


def test_who_sees_all_jobs_reads_nobodys_output_for_that(site: FilesSite) -> None:
    sees = somebody(scopes=frozenset(Scope))

    assert problem(site.get(OUTPUT, sees)) == (404, "not-there")


def test_an_array_of_anothers_is_not_told_by_what_is_asked_wrongly(site: FilesSite) -> None:
    site.put(1, id=job_id("1_[8-9]"))

    assert problem(site.get(OUTPUT, BOB)) == (404, "not-there")


@pytest.mark.parametrize(
    "actors", [RunAs(groups=frozenset({"physics"})), RunAs(anybody=True)], ids=["group", "any"]
)
def test_who_may_act_for_the_owner_reads_whether_or_not_he_is_named(
    site: FilesSite, actors: RunAs
) -> None:
    site.tree.write(OUT, b"hers")

    assert site.get(OUTPUT, replace(ANN, run_as=actors)).body == b"hers"


def test_reading_output_takes_its_scope_which_reading_files_holds(site: FilesSite) -> None:
    site.tree.write(OUT, b"x")

    assert site.get(OUTPUT, only(Scope.OUTPUT_READ)).status == 200
    assert site.get(OUTPUT, only(Scope.FILES_READ)).status == 200
    assert problem(site.get(OUTPUT, only(Scope.JOBS_READ, Scope.JOBS_CONTROL))) == (403, "denied")
    assert site.get("/api/v1/jobs/1/files", only(Scope.OUTPUT_READ)).status == 403


def test_a_gateway_that_only_reads_says_so_of_any_job() -> None:
    reads = GatewaySite()
    reads.cluster.put(live_job(1))

    for number in (1, 9):
        answer = reads.get(f"/api/v1/jobs/{number}/output", ANN)
        assert problem(answer) == (501, "not-offered")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotPermitted("hand.conf does not list ann"), (403, "denied")),
        (AccountingDown(("x",), 1, ""), (503, "not-now")),
    ],
)
def test_what_the_hand_says_no_with_is_passed_on(
    site: FilesSite, error: Exception, expected: tuple[int, str]
) -> None:
    site.tree.outage = error

    assert problem(site.get(OUTPUT)) == expected
