"""What sbatch and scancel say is read on every release that was heard, and no further."""

from datetime import UTC, datetime

import pytest

from tests.fakes.transport import ScriptedTransport
from waldur_slurm.errors import (
    AccountingDown,
    CannotStart,
    FileFailed,
    TransportError,
    UnparsableOutput,
)
from waldur_slurm.model.batch import (
    BatchSheet,
    Cancelled,
    Estimate,
    JobId,
    Refusal,
    Refused,
    Submitted,
    Task,
    Verb,
)
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.batch.client import SlurmBatch
from waldur_slurm.slurm.batch.grammar.answers import (
    parse_cancelled,
    parse_estimate,
    parse_submitted,
)
from waldur_slurm.slurm.batch.grammar.refusals import known_refusal
from waldur_slurm.slurm.batch.port import JobRefused, OutcomeUnknown
from waldur_slurm.slurm.batch.variables import ShellVariables
from waldur_slurm.slurm.tools import Tools

SHEET = BatchSheet("#!/bin/sh\n", {"job-name": "a"})
FAILED = "sbatch: error: Batch job submission failed: "
UP, DOWN = Completed(0, "UP", ""), Completed(1, "DOWN", "")


def batch(*played: Completed | TransportError) -> SlurmBatch:
    transport = ScriptedTransport([*played])
    return SlurmBatch(ShellVariables(transport), Tools(transport))


@pytest.mark.parametrize(
    ("out", "submitted"),
    [
        ("12\n", Submitted(JobId(12))),
        ("12;lab\n", Submitted(JobId(12), "lab")),
        ("", None),
        ("Submitted batch job 12\n", None),
        ("12\n13\n", None),
        ("a site's own words\n12\n", Submitted(JobId(12))),
    ],
)
def test_one_line_with_a_number_is_a_job(out: str, submitted: Submitted | None) -> None:
    assert parse_submitted(out) == submitted


@pytest.mark.parametrize("after_time", ["", " a"])
def test_an_estimate_is_read_with_and_without_a_stray_letter(after_time: str) -> None:
    words = f"sbatch: Job 9 to start at 1796014686{after_time} using 4 processors on nodes n[1-2]"
    assert parse_estimate(f"{words} in partition main\n") == Estimate(
        datetime.fromtimestamp(1796014686, UTC), 4, "n[1-2]", "main"
    )


def test_other_words_are_no_estimate() -> None:
    with pytest.raises(UnparsableOutput):
        parse_estimate("sbatch: Job 9 to start some day")


def test_a_task_is_told_of_by_the_lines_of_its_own() -> None:
    err = (
        "scancel: select/cons_tres: common_init: select/cons_tres loaded\n"
        "scancel: Terminating job 12_3\n"
        "scancel: Terminating job 12_4\n"
        "scancel: error: Kill job error on job id 12_4: Job/step already completing or completed\n"
        "scancel: Signal 10 to batch job 13\n"
        "scancel: error: Kill job error on job id 99: Invalid job id specified\n"
        "scancel: Terminating job 14_[2-9%2]\n"
        "scancel: Terminating job 16\n"
        "scancel: error: Kill job error on job id 16: Words of a release to come\n"
    )
    third, fourth = JobId(12, Task(3)), JobId(12, Task(4))
    whole, signalled, nowhere, array = JobId(1), JobId(13), JobId(99), JobId(14)
    jobs = [third, fourth, whole, signalled, nowhere, array, JobId(16)]
    assert parse_cancelled(err, jobs) == {
        third: Cancelled.SENT,
        fourth: Cancelled.OVER,
        whole: Cancelled.SPARED,
        signalled: Cancelled.SENT,
        nowhere: Cancelled.ABSENT,
        array: Cancelled.SENT,
        JobId(16): Refused(Refusal.OTHER, "Words of a release to come"),
    }


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("Required partition not available (inactive or drain)", Refusal.NOT_AVAILABLE),
        ("User's group not permitted to use this partition", Refusal.NOT_ALLOWED),
        ("Invalid account or account/partition combination specified", Refusal.ACCOUNT),
        ("Invalid qos specification", Refusal.QOS),
        ("Node count specification invalid", Refusal.RESOURCES),
        ("Requested time limit is invalid (missing or exceeds some limit)", Refusal.TIME),
        ("Resource temporarily unavailable", Refusal.BUSY),
        ("MaxJobCount limit reached", Refusal.BUSY),
        ("Job dependency problem", Refusal.DEPENDENCY),
        ("Invalid --time specification", Refusal.TIME),
        ("Invalid --mem specification", Refusal.OPTION),
        ("Job is no longer pending execution for job 5", Refusal.STATE),
        ("Invalid job id specified", Refusal.JOB),
    ],
)
def test_words_have_a_kind(words: str, refusal: Refusal) -> None:
    with pytest.raises(JobRefused) as refused:
        batch(Completed(1, "", f"{FAILED}{words}\n")).submit(SHEET)
    assert refused.value.why.refusal is refusal


def test_a_limit_of_a_qos_is_named() -> None:
    err = f"sbatch: error: QOSMaxCpuPerJobLimit\n{FAILED}Job violates accounting/QOS policy (job)\n"
    with pytest.raises(JobRefused) as refused:
        batch(Completed(1, "", err)).submit(SHEET)
    assert refused.value.why.limit == "QOSMaxCpuPerJobLimit"


def test_words_of_no_kind_are_a_refusal_only_when_slurm_answers_something_else() -> None:
    own = Completed(1, "", "sbatch: error: You forgot to say please\n")
    assert known_refusal(own.err) is None
    with pytest.raises(JobRefused) as refused:
        batch(own, UP).submit(SHEET)
    assert refused.value.why == Refused(Refusal.OTHER, own.err.strip())
    with pytest.raises(OutcomeUnknown):
        batch(own, DOWN).submit(SHEET)


@pytest.mark.parametrize(
    "words",
    [
        "Socket timed out on send/recv operation",
        "Connection reset by peer",
        "Zero Bytes were transmitted or received",
        "Unexpected message received",
        "Transport endpoint is not connected",
    ],
)
def test_a_lost_answer_is_unknown_although_slurm_answers_again(words: str) -> None:
    with pytest.raises(OutcomeUnknown):
        batch(Completed(1, "", f"{FAILED}{words}\n"), UP).submit(SHEET)


def test_an_end_without_a_number_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown):
        batch(Completed(0, "", "")).submit(SHEET)


def test_a_number_is_a_job_whatever_the_exit_code() -> None:
    assert batch(Completed(3, "12\n", "")).submit(SHEET) == Submitted(JobId(12))


def test_nothing_was_sent_where_nobody_could_be_connected_to() -> None:
    words = f"{FAILED}Unable to contact slurm controller (connect failure)\n"
    with pytest.raises(AccountingDown) as silence:
        batch(Completed(1, "", words)).submit(SHEET)
    assert silence.value.transient


def test_a_killed_sbatch_leaves_it_open_and_one_that_never_began_does_not() -> None:
    with pytest.raises(OutcomeUnknown):
        batch(TransportError("sbatch did not end within 1 s and was killed")).submit(SHEET)
    with pytest.raises(CannotStart):
        batch(CannotStart("sbatch cannot be started")).submit(SHEET)


def test_a_hand_whose_sbatch_failed_leaves_it_open_unless_it_never_ran() -> None:
    class Failing(ScriptedTransport):
        errno = ""

        def run(self, *_args: object, **_more: object) -> Completed:
            raise FileFailed("sbatch", self.errno)

    failing = Failing([])
    tools = Tools(ScriptedTransport([]))
    with pytest.raises(OutcomeUnknown):
        SlurmBatch(ShellVariables(failing), tools).submit(SHEET)
    failing.errno = "ENOENT"
    with pytest.raises(FileFailed):
        SlurmBatch(ShellVariables(failing), tools).submit(SHEET)


def test_no_kind_of_refusal_follows_from_a_lost_connection() -> None:
    words = "Unexpected message received for job 5\n"
    with pytest.raises(TransportError):
        batch(Completed(1, "", words), DOWN).control(Verb.HOLD, JobId(5))
    with pytest.raises(JobRefused):
        batch(Completed(1, "", words), UP).control(Verb.HOLD, JobId(5))
    timed_out = "scancel: error: Kill job error on job id 5: Socket timed out on send/recv\n"
    with pytest.raises(TransportError):
        batch(Completed(140, "", timed_out)).cancel([JobId(5)])


def test_whatever_is_no_text_is_refused_before_anything_is_started() -> None:
    for sheet in (
        BatchSheet("#!/bin/sh\n\ud800"),
        BatchSheet("#!/bin/sh\n", {}, {"A": "\ud800"}),
        BatchSheet("#!/bin/sh\n", {}, {"A": "\0"}),
        BatchSheet("#!/bin/sh\n", {}, {"A=B": ""}),
        BatchSheet("#!/bin/sh\n", {}, {"A\n": ""}),
        BatchSheet("#!/bin/sh\n", {"export": "ALL"}, {"A": ""}),
    ):
        with pytest.raises(JobRefused):
            batch().submit(sheet)


def test_a_job_inherits_nothing_of_how_we_ask() -> None:
    transport = ScriptedTransport([Completed(0, "12\n", "")])
    SlurmBatch(ShellVariables(transport), Tools(transport)).submit(SHEET)
    assert transport.environs == [{}]
    assert transport.asked == [("sbatch", "--parsable", "--job-name=a")]
    assert transport.fed == ["#!/bin/sh\n"]


def test_variables_are_in_no_argument_and_in_no_environment() -> None:
    transport = ScriptedTransport([Completed(0, "12\n", "")])
    given = BatchSheet("#!/bin/sh\n", {}, {"KEY": "secret", "X": "é"})
    SlurmBatch(ShellVariables(transport), Tools(transport)).submit(given)
    assert transport.environs == [{}]
    assert not any("secret" in word for word in transport.asked[0])
    assert transport.asked[0][3:5] == ("sh", str(len("KEY=secret\0X=é\0".encode())))
    assert transport.fed == ["KEY=secret\0X=é\0#!/bin/sh\n"]
