"""slurmrestd takes and tells the same jobs as Slurm's tools, in each version of its API."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.contract.batch_site import ACCOUNT, ANN, FULL, RealBatchSite, sheet
from tests.contract.rest_site import EVERY_VERSION, SERVED, RestSite
from tests.contract.site import RealSite
from waldur_slurm.errors import CannotStart
from waldur_slurm.model.batch import BatchSheet, JobId, Refusal
from waldur_slurm.model.live import JobListing, LiveJob
from waldur_slurm.slurm.batch.port import JobRefused, OutcomeUnknown
from waldur_slurm.slurm.live.client import ClusterClient
from waldur_slurm.slurm.rest.talk import VERSIONS

SAID = {
    "comment": "words | of its owner",
    "cpus_per_task": "2",
    "hold": None,
    "job_name": "a name",
    "mem": "1G",
    "nice": "7",
    "nodes": "1-2",
    "output": "out-%j",
    "time": "1-02:03",
}

ASKED = (
    *("name", "comment", "user", "account", "partition", "qos", "limit_s", "nice", "cpus"),
    *("work_dir", "node_count", "tasks", "tres", "state", "reason"),
)
"""What a sheet decides of a job."""


@pytest.fixture(params=EVERY_VERSION, ids=lambda each: f"{each[0]}-v{each[1]}")
def rest(request: pytest.FixtureRequest) -> Iterator[RestSite]:
    name, version = request.param
    yield from _rest(request, name, version)


@pytest.fixture(params=SERVED)
def newest(request: pytest.FixtureRequest) -> Iterator[RestSite]:
    """Each Slurm in the newest version that it serves."""
    yield from _rest(request, request.param, max(SERVED[request.param]))


def _rest(request: pytest.FixtureRequest, name: str, version: int) -> Iterator[RestSite]:
    found = request.getfixturevalue(name)
    assert isinstance(found, RealSite)
    site = RealBatchSite(found)
    yield RestSite(site, version)
    site.clear()


def _jobs(rest: RestSite) -> dict[JobId, LiveJob]:
    cluster = ClusterClient(rest.site.site.transport)
    return {job.id: job for job in cluster.read_jobs().jobs}


def test_every_version_that_is_asked_for_is_served_by_a_slurm_that_was_tried() -> None:
    assert {version for _, version in EVERY_VERSION} == {*VERSIONS}


def test_a_job_is_what_sbatch_would_have_made_of_it(rest: RestSite) -> None:
    by_rest = rest.of(ANN).submit(sheet(**SAID)).id
    by_sbatch = rest.tools(ANN).submit(sheet(**SAID)).id
    jobs = _jobs(rest)
    assert _what_was_asked(jobs[by_rest]) == _what_was_asked(jobs[by_sbatch])


def _what_was_asked(job: LiveJob) -> dict[str, object]:
    return {name: getattr(job, name) for name in ASKED}


def test_lines_of_the_script_count_below_the_options(rest: RestSite) -> None:
    script = (
        "#!/bin/sh\n#SBATCH --job-name='of the script' -c 2\n#SBATCH --comment=below\nsleep 9\n"
    )
    options = {**sheet(hold=None).options, "comment": "above"}
    submitted = rest.of(ANN).submit(BatchSheet(script, options)).id
    job = _jobs(rest)[submitted]
    assert (job.name, job.cpus, job.comment) == ("of the script", 2, "above")


def test_an_array_is_one_job_of_many_tasks(rest: RestSite) -> None:
    submitted = rest.of(ANN).submit(sheet(array="1-3", hold=None)).id
    names = [name for name in rest.site.states() if name.startswith(f"{submitted}_")]
    assert sorted(names) == [f"{submitted}_{task}" for task in (1, 2, 3)]


def test_what_is_listed_is_what_squeue_lists(rest: RestSite) -> None:
    rest.of(ANN).submit(sheet(**SAID))
    rest.of(ANN).submit(sheet(array="1-3%2", hold=None))
    started = rest.of(ANN).submit(sheet(time="10"))
    rest.site.let_start(started.id)
    told = {job.id: job for job in rest.listing().read_jobs().jobs}
    listed = _jobs(rest)
    assert {*told} == {*listed}
    for job in listed:
        assert _told(told[job]) == _told(listed[job])


def test_a_job_whose_name_is_no_text_hides_no_other(newest: RestSite) -> None:
    """slurmrestd itself tells of none then."""
    plain = newest.of(ANN).submit(sheet(hold=None)).id
    batch = f"sbatch --parsable --account={ACCOUNT} --hold --chdir=/tmp --wrap=true"
    named = f"SBATCH_JOB_NAME=$(printf 'x\\377y') {batch}"  # not in the line, which Slurm keeps
    odd = newest.machine.must("sh", "-c", named, user=ANN)
    squeue = ClusterClient(newest.site.site.transport)
    asked: list[None] = []

    def by_squeue() -> JobListing:
        asked.append(None)
        return squeue.read_jobs()

    listing = newest.listing(by_squeue)
    try:
        told = {job.id: job for job in listing.read_jobs().jobs}
        assert (plain in told, told[JobId(int(odd))].name) == (True, r"x\xffy")
        assert asked
    finally:
        newest.machine.must("scontrol", "update", f"jobid={odd.strip()}", "name=plain")
    asked.clear()
    assert plain in {job.id for job in listing.read_jobs().jobs}
    assert not asked


def _told(job: LiveJob) -> dict[str, object]:
    """What a reading does not choose itself: slurmrestd expands the names of files.

    Nor does it say the same of jobs that other tests have ended: why one waited that was requeued
    in held state, and which host srun was typed on.
    """
    apart = {"elapsed_s", "considered", "priority", "stdout", "stderr", "start", "eligible", "end"}
    apart |= {"reason", "batch_host"} if job.state.is_terminal else set()
    return {name: value for name, value in job._asdict().items() if name not in apart}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"partition": "nosuch"}, Refusal.PARTITION),
        ({"account": "nosuch"}, Refusal.ACCOUNT),
        ({"qos": "nosuch"}, Refusal.QOS),
        ({"account": FULL}, Refusal.LIMIT),
        ({"constraint": "nosuch"}, Refusal.RESOURCES),
        ({"gres": "gpu:1"}, Refusal.OPTION),
    ],
    ids=lambda each: str(each),
)
def test_what_slurm_does_not_take_has_the_kind_that_sbatch_gives_it(
    newest: RestSite, changes: dict[str, str | None], refusal: Refusal
) -> None:
    with pytest.raises(JobRefused) as refused:
        newest.of(ANN).submit(sheet(**changes))
    assert refused.value.why.refusal is refusal
    assert newest.site.states() == {}


def test_a_job_has_exactly_the_variables_that_it_is_given(newest: RestSite) -> None:
    script = '#!/bin/sh\ntest "$A" = "1,2=3" && test -z "$LOGNAME" && exec sleep 300\n'
    wanted = BatchSheet(script, sheet().options, variables={"PATH": "/bin", "A": "1,2=3"})
    newest.site.let_start(newest.of(ANN).submit(wanted).id)


def test_an_answer_that_was_lost_is_no_refusal(newest: RestSite) -> None:
    newest.timeout = timedelta(seconds=1)
    batch = newest.of(ANN)
    batch.submit(sheet(hold=None))
    newest.machine.freeze("slurmctld")
    try:
        with pytest.raises(OutcomeUnknown):
            batch.submit(sheet(hold=None))
    finally:
        newest.machine.thaw("slurmctld")


def test_a_slurmrestd_that_is_away_took_nothing(newest: RestSite) -> None:
    batch = newest.of(ANN)
    newest.machine.stop_daemon("slurmrestd")
    try:
        with pytest.raises(CannotStart):
            batch.submit(sheet(hold=None))
    finally:
        newest.machine.start_daemon("slurmrestd")
    assert newest.site.states() == {}
