"""Other people's text: whatever somebody writes into his job, every job is there once, and his own.

Names, comments, directories and command lines that look like rows, records and separators are
handed in on real Slurms by users of no rank.
"""

import pytest

from tests.contract.live_site import RealLive, Wish
from tests.contract.site import PEOPLE
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName

ANN, BOB, _ = PEOPLE

HOSTILE = (
    "a|b|c",
    "x\n99|COMPLETED|root|physics|main",
    "\n\n\n",
    "~\n~\n",
    "tab\tand\x1funit\x1eseparator",
    "%i %u %all %% \\n ${HOME} `id` $(id) ; ' \"",
    "JobId=1 UserId=root(0) JobState=COMPLETED",
    "x\nJobId=1 JobName=y UserId=root(0) GroupId=root(0) JobState=COMPLETED\n",
    "-h --help",
    "(null)x",
    "naïve 名前 🚀",
    "CLUSTER: other",
    "1_[1-5] 2+1",
    "w" * 900,
)


ASKED = (
    "BatchFlag=1 Reboot=1 DerivedExitCode=9:0 TimeMin=N/A AllocNode:Sid=evil:1 ExcNodeList=(null) "
    "NumNodes=1 NumCPUs=1 CPUs/Task=9 ReqB:S:C:T=0:0:*:* Socks/Node=* NtasksPerN:B:S:C=0:0:*:* "
    "CoreSpec=* MinMemoryNode=9G MinTmpDiskNode=0 OverSubscribe=NO Contiguous=1 StdIn=/evil "
)
"""What a forger has his victim ask for."""


def test_every_job_is_there_once_with_its_true_owner_and_its_text_as_it_was_written(
    real_live: RealLive,
) -> None:
    wanted: dict[int, tuple[str, str, str]] = {}
    for text in HOSTILE:
        ann = real_live.submit(ANN, Wish(held=True, name=text, comment="a"))
        bob = real_live.submit(BOB, Wish(held=True, comment=text, name="b"))
        wanted |= {ann: (ANN, text, "a"), bob: (BOB, "b", text)}
    found = real_live.jobs()

    assert {no: (job.user, job.name, job.comment) for no, job in found.items()} == wanted
    assert {job.state.base for job in found.values()} == {"PENDING"}


def test_a_working_directory_is_read_as_it_is(real_live: RealLive) -> None:
    place = f"/tmp/{real_live.account}|x\ny ~ z"  # noqa: S108 - where everybody may
    real_live.machine.must("mkdir", "--mode=777", place)
    number = real_live.submit(ANN, Wish(held=True, work_dir=place))
    real_live.machine.must("rmdir", place)

    assert real_live.jobs()[number].work_dir == place


def test_bytes_that_are_no_text_change_nothing_else(real_live: RealLive) -> None:
    """Only a shell can hand them over; slurmrestd lists no job while Slurm keeps them."""
    batch = f"sbatch --parsable --account={real_live.account} --hold --chdir=/tmp --mem=10"
    name = r"$(printf 'x\377\376y')"
    line = f"SBATCH_JOB_NAME={name} {batch} --output=/dev/null --wrap=true"
    number = int(real_live.machine.must("sh", "-c", line, user=BOB))
    (job,) = real_live.jobs().values()

    assert (job.number, job.user, job.name) == (number, BOB, r"x\xff\xfey")
    real_live.machine.must("scontrol", "update", f"jobid={number}", "name=plain")


def test_a_forged_record_changes_nobodys_shares(real_live: RealLive) -> None:
    """Nor anything else that is told of a job."""
    victim = running(real_live, BOB)
    before = details_of(real_live, victim)
    assert before.shares
    assert before.record
    forged = (
        f"JobId={victim.number} JobName=y UserId={BOB}({victim.uid}) GroupId=nogroup(1) "
        f"SubmitTime={int(victim.submitted.timestamp())} EligibleTime=1 JOB_GRES=(null) "
        f"Nodes={victim.hosts} CPU_IDs=0-7 Mem=9999 GRES= MinCPUsNode=1 {ASKED}"
    )
    for text in (f"x\n{forged}\nJobId=99 JobName=z", f"x {forged} y", f"x\n{forged}"):
        forger = running(real_live, ANN, Wish(name=text[:1000], comment=text))
        assert details_of(real_live, victim) == before
        real_live.cancel(forger.number)


def running(live: RealLive, user: UserName, wish: Wish | None = None) -> LiveJob:
    number = live.submit(user, wish or Wish())
    live.wait_until(lambda: live.jobs()[number].state.base == "RUNNING")
    return live.jobs()[number]


def details_of(live: RealLive, job: LiveJob) -> JobDetails:
    """What is told of a job in a reading of all of them."""
    return live.cluster.read_details(live.jobs().values())[job.run]


@pytest.mark.parametrize("letters", [1, 500, 1000])
def test_a_comment_of_line_breaks_alone_is_a_comment(real_live: RealLive, letters: int) -> None:
    number = real_live.submit(ANN, Wish(held=True, comment="x" + "\n" * letters))
    other = real_live.submit(BOB, Wish(held=True))

    assert {job.number: job.user for job in real_live.jobs().values()} == {number: ANN, other: BOB}
