"""What only a real sbatch can show: texts that come through whole, and answers that are lost."""

import secrets

import pytest

from sandbox.slurm import Completed
from tests.contract.batch_site import ACCOUNT, ANN, SLEEP, RealBatchSite, sheet
from waldur_slurm.errors import CannotStart, TransportError
from waldur_slurm.model.batch import (
    BatchSheet,
    Cancelled,
    Component,
    JobId,
    Refusal,
    Refused,
    Task,
    VariablesFile,
    Verb,
)
from waldur_slurm.slurm.batch.port import JobRefused, OutcomeUnknown

HOSTILE = (
    "a|b,c=d e  f",
    "--uid=0",
    "'; touch /tmp/pwned; '",
    "$(id) `id` ${HOME}",
    '"quoted" \\ back',
    "%j %u 100%",
    "ünïcödé ☃",
    "x" * 200,
)

VARIABLES = {
    "PLAIN": "1",
    "COMMAS": "a,b=c,--export=NONE",
    "LINES": "one\ntwo\n\nPATH=/evil\n",
    "QUOTES": "'\"`$(id)`\\",
    "EMPTY": "",
    "UNICODE": "ünïcödé ☃",
    "LONG": "y" * 20_000,
}

OF_LAUNCHERS = ("HYDRA_", "I_MPI_HYDRA_", "OMPI_MCA_plm_", "PRTE_MCA_plm_")
"""What Slurm itself tells MPI's launchers since 24.11."""

REFUSED = {
    "time": (sheet(deadline="2001-01-01"), Refusal.TIME),
    "feature": (sheet(constraint="nosuch"), Refusal.RESOURCES),
    "node": (sheet(nodelist="nosuch"), Refusal.RESOURCES),
    "gres": (sheet(gres="nosuch:1"), Refusal.RESOURCES),
    "memory": (sheet(mem="900000G"), Refusal.RESOURCES),
    "licence": (sheet(licenses="nosuch:1"), Refusal.RESOURCES),
    "reservation": (sheet(reservation="nosuch"), Refusal.RESOURCES),
    "array": (sheet(array="0-99999999"), Refusal.OPTION),
    "cluster": (sheet(clusters="nosuch"), Refusal.CLUSTER),
    "priority": (sheet(nice="-100"), Refusal.NOT_ALLOWED),
    "empty": (BatchSheet("", sheet().options), Refusal.SCRIPT),
    "dos": (BatchSheet("#!/bin/sh\r\nsleep 1\r\n", sheet().options), Refusal.SCRIPT),
    "zero": (BatchSheet("#!/bin/sh\nsleep\0x\n", sheet().options), Refusal.SCRIPT),
    "directive": (BatchSheet("#!/bin/sh\n#SBATCH --nosuch\n", sheet().options), Refusal.OPTION),
    "directive-time": (BatchSheet("#!/bin/sh\n#SBATCH -t abc\n", sheet().options), Refusal.TIME),
    "dependency": (
        BatchSheet("#!/bin/sh\n#SBATCH --dependency=nonsense:1\n", sheet().options),
        Refusal.DEPENDENCY,
    ),
    "variables": (
        BatchSheet(SLEEP, sheet().options, VariablesFile("/nosuch/file")),
        Refusal.OPTION,
    ),
}


def _shown(site: RealBatchSite, job: JobId, letters: str) -> str:
    """What squeue says of one job, between marks that no text can hold."""
    mark = secrets.token_hex(8)
    argv = ("squeue", "--noheader", f"--jobs={job.number}", f"--format={mark}{letters}{mark}")
    return site.machine.must(*argv).split(mark)[1]


@pytest.mark.parametrize("case", REFUSED)
def test_every_no_of_a_real_slurm_has_its_kind(real_batch_site: RealBatchSite, case: str) -> None:
    refused_sheet, refusal = REFUSED[case]
    with pytest.raises(JobRefused) as refused:
        real_batch_site.of(ANN).submit(refused_sheet)
    assert refused.value.why.refusal is refusal
    assert real_batch_site.states() == {}


def test_texts_reach_a_job_to_the_letter(real_batch_site: RealBatchSite) -> None:
    for text in HOSTILE:
        options = {**sheet(hold=None).options, "job-name": text, "comment": text}
        job = real_batch_site.of(ANN).submit(BatchSheet(SLEEP, options)).id
        assert _shown(real_batch_site, job, "%j") == text
        assert _shown(real_batch_site, job, "%k") == text
        assert _shown(real_batch_site, job, "%u") == ANN


def test_texts_are_changed_to_the_letter(real_batch_site: RealBatchSite) -> None:
    job = real_batch_site.of(ANN).submit(sheet(hold=None)).id
    for text in HOSTILE:
        real_batch_site.of(ANN).update(job, {"JobName": text, "Comment": text})
        assert _shown(real_batch_site, job, "%j") == text
        assert _shown(real_batch_site, job, "%k") == text


def _run_to_its_end(site: RealBatchSite, given: BatchSheet, file: str) -> str:
    site.of(ANN).submit(given)
    site.site.wait_until(lambda: site.machine.run("test", "-e", f"{file}.done").code == 0)
    text = site.machine.must("cat", file)
    site.machine.must("rm", "-f", file, f"{file}.done")
    return text


def test_a_job_has_exactly_the_variables_that_it_was_given(real_batch_site: RealBatchSite) -> None:
    file = f"/tmp/{secrets.token_hex(8)}"  # noqa: S108 - where everybody may write
    script = (
        f"#!/bin/sh\n/usr/bin/env -0 | /usr/bin/tr '\\0\\n' '\\n\\t' > {file}\n: > {file}.done\n"
    )
    said = _run_to_its_end(real_batch_site, BatchSheet(script, sheet().options, VARIABLES), file)
    found = dict(line.replace("\t", "\n").split("=", 1) for line in said.splitlines())
    assert {name: found.get(name) for name in VARIABLES} == VARIABLES
    own = {
        name
        for name in found.keys() - VARIABLES.keys()
        if not name.startswith(("SLURM", "SBATCH", *OF_LAUNCHERS))
    }
    assert own <= {"PWD", "TMPDIR", "HOSTNAME", "ENVIRONMENT", "PATH", "OLDPWD", "_", "SHLVL"}
    assert "TZ" not in found


def test_variables_leave_no_file_behind(real_batch_site: RealBatchSite) -> None:
    listing = ("find", "/tmp", "-maxdepth", "1", "-name", "tmp.*")  # noqa: S108 - only looked at
    before = real_batch_site.machine.must(*listing)
    given = BatchSheet(SLEEP, sheet(hold=None).options, VARIABLES)
    real_batch_site.of(ANN).submit(given)
    assert real_batch_site.machine.must(*listing) == before


def test_a_job_is_there_although_the_answer_to_its_submission_was_lost(
    real_batch_site: RealBatchSite,
) -> None:
    """A frozen slurmctld takes the message and reads it when it lives again."""
    with real_batch_site.losing_answers():
        real_batch_site.timeout = None
        with pytest.raises(OutcomeUnknown, match="timed out"):
            real_batch_site.of(ANN).submit(sheet(hold=None, comment="lost"))
    real_batch_site.site.wait_until(lambda: len(real_batch_site.states()) == 1)


def test_a_client_that_was_killed_leaves_it_open_whether_there_is_a_job(
    real_batch_site: RealBatchSite,
) -> None:
    with real_batch_site.losing_answers(), pytest.raises(OutcomeUnknown, match="killed"):
        real_batch_site.of(ANN).submit(sheet(hold=None))


def test_what_is_not_submitted_is_not_answered_either(real_batch_site: RealBatchSite) -> None:
    job = real_batch_site.of(ANN).submit(sheet(hold=None)).id
    with real_batch_site.losing_answers():
        with pytest.raises(TransportError):
            real_batch_site.of(ANN).control(Verb.RELEASE, job)
        with pytest.raises(TransportError):
            real_batch_site.of(ANN).cancel([job])


def test_a_slurm_that_came_back_is_handed_jobs_again(real_batch_site: RealBatchSite) -> None:
    first = real_batch_site.of(ANN).submit(sheet(hold=None)).id
    with real_batch_site.down():
        assert real_batch_site.machine.run("scontrol", "ping").code != 0
    second = real_batch_site.of(ANN).submit(sheet(hold=None)).id
    assert real_batch_site.states().keys() == {str(first), str(second)}


def test_a_job_that_waits_for_its_end_is_submitted_whatever_its_exit_code(
    real_batch_site: RealBatchSite,
) -> None:
    script = "#!/bin/sh\n#SBATCH --wait\nexit 3\n"
    submitted = real_batch_site.of(ANN).submit(BatchSheet(script, sheet().options))
    assert submitted.id.number > 0


def test_a_script_that_only_tests_submits_nothing_and_is_not_called_a_job(
    real_batch_site: RealBatchSite,
) -> None:
    script = "#!/bin/sh\n#SBATCH --test-only\n"
    with pytest.raises(OutcomeUnknown, match="to start at"):
        real_batch_site.of(ANN).submit(BatchSheet(script, sheet().options))
    assert real_batch_site.states() == {}


def test_a_heterogeneous_jobs_components_have_one_number(real_batch_site: RealBatchSite) -> None:
    script = "#!/bin/sh\n#SBATCH hetjob\n#SBATCH --mem=10\nsleep 300\n"
    job = real_batch_site.of(ANN).submit(BatchSheet(script, sheet(hold=None).options)).id
    assert real_batch_site.states().keys() == {f"{job}+0", f"{job}+1"}


def test_before_26_05_only_operators_of_slurm_suspend_and_resume(
    real_batch_site: RealBatchSite,
) -> None:
    ann = real_batch_site.of(ANN)
    job = ann.submit(sheet()).id
    real_batch_site.let_start(job)
    if "26.05" in real_batch_site.machine.must("scontrol", "--version"):
        ann.control(Verb.SUSPEND, job)
        assert real_batch_site.states() == {str(job): "SUSPENDED"}
        ann.control(Verb.RESUME, job)
        assert real_batch_site.states() == {str(job): "RUNNING"}
        with pytest.raises(JobRefused) as refused:
            ann.control(Verb.RESUME, job)
        assert refused.value.why.refusal is Refusal.STATE
        return
    for verb in (Verb.SUSPEND, Verb.RESUME):
        with pytest.raises(JobRefused) as refused:
            ann.control(verb, job)
        assert refused.value.why.refusal is Refusal.NOT_ALLOWED
    assert real_batch_site.states() == {str(job): "RUNNING"}


def test_22_05_cancels_no_task_by_its_bare_number(real_batch_site: RealBatchSite) -> None:
    """Why a task is always cancelled by the name that it has in its array."""
    ann = real_batch_site.of(ANN)
    array = ann.submit(sheet(array="1-2")).id
    real_batch_site.let_start(JobId(array.number, Task(1)))
    listing = real_batch_site.machine.must("squeue", "--noheader", "--format=%A")
    (bare,) = {JobId(int(row)) for row in listing.split()} - {array}
    is_old = "22.05" in real_batch_site.machine.must("scontrol", "--version")
    assert ann.cancel([bare]) == {bare: Cancelled.ABSENT if is_old else Cancelled.SENT}


def test_no_component_is_cancelled_alone(real_batch_site: RealBatchSite) -> None:
    ann = real_batch_site.of(ANN)
    script = "#!/bin/sh\n#SBATCH hetjob\n#SBATCH --mem=10\nsleep 300\n"
    both = ann.submit(BatchSheet(script, sheet(begin="now+1hour").options)).id
    one = JobId(both.number, Component(1))
    assert isinstance(ann.cancel([one])[one], Refused)
    assert real_batch_site.states().keys() == {f"{both}+0", f"{both}+1"}
    assert ann.cancel([both]) == {both: Cancelled.SENT}


def test_a_sbatch_that_is_not_there_did_not_begin(real_batch_site: RealBatchSite) -> None:
    batch = real_batch_site.of(ANN)
    batch._bin_path = "/nosuch"
    with pytest.raises((CannotStart, JobRefused)):
        batch.submit(sheet(hold=None))


def test_scancel_without_a_job_takes_whatever_is_in_the_state(
    real_batch_site: RealBatchSite,
) -> None:
    """Why a job is always named: the tool itself takes no job for all of them."""
    job = real_batch_site.of(ANN).submit(sheet(hold=None)).id
    real_batch_site.machine.must("scancel", "--state=PENDING", f"--account={ACCOUNT}")
    assert str(job) not in real_batch_site.states()


def test_scancel_of_what_is_not_there_exits_with_0_and_says_so_only_when_asked(
    real_batch_site: RealBatchSite,
) -> None:
    assert real_batch_site.machine.run("scancel", "999999") == Completed(0, "", "")
    told = real_batch_site.machine.run("scancel", "--verbose", "999999")
    assert (told.code, "Invalid job id" in told.err) == (0, True)
