"""The queue, the machines and slurmctld itself, read as they are now."""

from datetime import timedelta

import pytest

from tests.contract.live_site import LiveSite, RealLive, Wish
from tests.contract.site import PEOPLE
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.batch import Component, JobId, Tasks
from waldur_slurm.model.cluster import Statistics
from waldur_slurm.model.details import JobDetails, Layout, MemoryOf, Record, TasksPer
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.job_state import JobOutcome, Phase
from waldur_slurm.model.live import LiveJob, NodeShare
from waldur_slurm.model.tres import tres_name

ANN, BOB, _ = PEOPLE
CPU, MEM, NODE = map(tres_name, ("cpu", "mem", "node"))


def running(live: LiveSite, number: int) -> LiveJob:
    live.wait_until(lambda: live.jobs()[number].state.base == "RUNNING")
    return live.jobs()[number]


def ended(live: LiveSite, number: int) -> LiveJob:
    live.wait_until(lambda: live.jobs()[number].state.is_terminal)
    return live.jobs()[number]


def test_the_queue_holds_exactly_the_jobs_there_are(live: LiveSite) -> None:
    one = live.submit(ANN, Wish(held=True, name="one", comment="mark 1"))
    two = live.submit(BOB, Wish(held=True, name="two"))
    found = live.jobs()

    assert {number: (job.user, job.name, job.comment) for number, job in found.items()} == {
        one: (ANN, "one", "mark 1"),
        two: (BOB, "two", ""),
    }
    assert {job.state.phase for job in found.values()} == {Phase.PENDING}
    assert {job.reason for job in found.values()} == {"JobHeldUser"}
    assert {(job.partition, job.qos, job.work_dir) for job in found.values()} == {
        ("main", "normal", "/tmp")  # noqa: S108 - where the job was submitted
    }


def test_one_job_is_read_alone_with_all_its_parts(live: LiveSite) -> None:
    array = live.submit(ANN, Wish(held=True, array="1-3"))
    other = live.submit(BOB, Wish(held=True))

    found = live.cluster.read_job(JobId(array)).jobs
    assert {(job.id.number, job.user) for job in found} == {(array, ANN)}
    (alone,) = live.cluster.read_job(JobId(other)).jobs
    assert (alone.run, alone.user) == (live.jobs()[other].run, BOB)
    for nowhere in (other + 1000, 2**31 - 1, 2**31, 2**32 - 1):
        assert live.cluster.read_job(JobId(nowhere)).jobs == ()


def test_a_job_that_runs_says_where_since_when_and_until_when(live: LiveSite) -> None:
    job = running(live, live.submit(ANN, Wish(minutes=10)))

    assert job.hosts in ("n1", "n2", "n3", "n4")
    assert job.limit_s == 600
    assert job.start is not None
    assert job.end == job.start + timedelta(minutes=10)
    assert job.submitted <= job.start
    assert (job.tres[CPU], job.tres[MEM], job.tres[NODE]) == (1, 10, 1)
    assert (job.cpus, job.node_count) == (1, 1)


def test_a_job_without_a_limit_has_no_end_or_is_given_a_year(live: LiveSite) -> None:
    """A year is what backfill gives to one that it starts."""
    job = running(live, live.submit(ANN, Wish()))

    assert job.start is not None
    assert (job.limit_s, job.end) in [
        (None, None),
        (365 * 86_400, job.start + timedelta(days=365)),
    ]


def test_an_array_that_waits_is_one_row(live: LiveSite) -> None:
    number = live.submit(ANN, Wish(held=True, array="1-5,9%2"))
    (job,) = live.jobs().values()

    assert str(job.id) == f"{number}_[1-5,9%2]"
    assert isinstance(job.id.part, Tasks)
    assert job.id.part.count == 6


def test_a_job_that_ended_is_there_for_a_while_and_says_how_it_ended(live: LiveSite) -> None:
    failed = ended(live, live.submit(ANN, Wish(command="exit 3")))
    cancelled = live.submit(ANN, Wish(held=True))
    live.cancel(cancelled)

    assert (failed.state.outcome, failed.exit.code) == (JobOutcome.FAILED, 3)
    assert ended(live, cancelled).state.outcome is JobOutcome.CANCELLED


def test_what_a_job_holds_on_each_node_is_told(live: LiveSite) -> None:
    one = running(live, live.submit(ANN, Wish()))
    wide = running(live, live.submit(BOB, Wish(nodes=2)))
    waits = live.submit(BOB, Wish(held=True))

    assert shares_of(live, live.jobs()[waits]) == ()
    (share,) = shares_of(live, one)
    assert (share.hosts, share.cpus, share.memory_mib) == (one.hosts, 1, 10)
    held = [host for share in shares_of(live, wide) for host in expand_hosts(share.hosts)]
    assert sorted(held) == sorted(expand_hosts(wide.hosts))


def details_of(live: LiveSite, job: LiveJob) -> JobDetails:
    """What is told of a job in a reading of all of them."""
    return live.cluster.read_details(live.jobs().values())[job.run]


def shares_of(live: LiveSite, job: LiveJob) -> tuple[NodeShare, ...]:
    found = details_of(live, job).shares
    assert found is not None
    return found


def record_of(live: LiveSite, job: LiveJob) -> Record:
    found = details_of(live, job).record
    assert found is not None
    return found


def test_what_was_asked_for_a_job_is_told_whether_it_waits_runs_or_has_ended(
    live: LiveSite,
) -> None:
    waits = live.submit(ANN, Wish(held=True))
    jobs = [
        live.jobs()[waits],
        running(live, live.submit(ANN, Wish())),
        ended(live, live.submit(ANN, Wish(command="exit 3"))),
    ]
    for job in jobs:
        record = record_of(live, job)
        asked = record.asked
        assert (asked.memory_mib, asked.memory_of, asked.cpus_per_task) == (10, MemoryOf.NODE, 1)
        assert (asked.is_batch, asked.is_contiguous, asked.reboots) == (True, False, False)
        assert (asked.sharing, asked.excluded_hosts, asked.min_limit_s) == ("OK", "", 0)
        assert (record.stdin, record.at_once) == ("/dev/null", None)
        assert record.submit_host
        assert job.association > 0


def test_nodes_say_what_they_have_and_why_they_are_out_of_service(live: LiveSite) -> None:
    reason = "bad disk State=IDLE CPUTot=1"
    with live.drain("n2", reason):
        nodes = {node.name: node for node in live.cluster.read_nodes()}

    assert {"n1", "n2"} <= nodes.keys()
    assert "DRAIN" in nodes["n2"].state.flags
    why = nodes["n2"].why
    assert why is not None
    assert (why.text, why.by) == (reason, "root")
    assert why.since is not None
    assert nodes["n1"].why is None
    assert (nodes["n2"].cpus, nodes["n2"].memory_mib) == (8, 32_000)
    assert nodes["n2"].partitions == ("main",)


def test_partitions_are_read(live: LiveSite) -> None:
    (main,) = live.cluster.read_partitions()

    assert (main.name, main.state, main.is_default, main.is_hidden) == ("main", "UP", True, False)
    assert (main.max_time_s, main.allowed_accounts) == (None, None)
    assert main.cpus == 8 * main.node_count


def test_qos_are_read_with_their_limits(live: LiveSite, name: str) -> None:
    live.add_qos(f"{name}q")
    found = {each.name: each for each in live.cluster.read_qos()}

    assert found["normal"].max_wall_s is None
    made = found[f"{name}q"]
    assert (made.jobs_per_user, made.max_wall_s, made.description) == (3, 86_400, "fast | lane")


def test_licences_are_counted(live: LiveSite, name: str) -> None:
    live.add_license(f"{name}l")

    def found() -> list[tuple[int, int, bool]]:
        return [
            (each.total, each.free, each.is_remote)
            for each in live.cluster.read_licenses()
            if each.name == f"{name}l@flex"
        ]

    live.wait_until(lambda: found() != [])
    assert found() == [(10, 10, True)]


def test_a_cluster_says_its_name_its_release_and_that_it_answers(live: LiveSite) -> None:
    assert live.cluster.read_configuration()["ClusterName"] == "lab"
    versions = live.cluster.read_versions()
    assert versions.tools == versions.slurmctld
    assert [(each.role, each.is_up) for each in live.cluster.ping()] == [("primary", True)]


def test_all_jobs_are_one_question_to_slurmctld(live: LiveSite) -> None:
    """By slurmctld's own count."""
    for _ in range(3):
        live.submit(ANN, Wish(held=True))
    before = asked(live.cluster.read_statistics())
    live.cluster.read_jobs()

    assert asked(live.cluster.read_statistics()) == before + 1


def asked(statistics: Statistics) -> int:
    return sum(rpc.count for rpc in statistics.by_message if rpc.name == "REQUEST_JOB_INFO")


def test_nobody_says_of_a_silent_slurm_that_a_job_is_not_there(live: LiveSite) -> None:
    with live.down(), pytest.raises(SlurmError):
        live.cluster.read_job(JobId(1))


def test_a_task_is_read_by_its_bare_number_too(real_live: RealLive) -> None:
    array = real_live.submit(ANN, Wish(array="1-2"))
    real_live.wait_until(lambda: len(real_live.cluster.read_job(JobId(array)).jobs) == 2)
    for task in real_live.cluster.read_job(JobId(array)).jobs:
        found = real_live.cluster.read_job(JobId(task.number)).jobs
        assert task.id in {job.id for job in found}


def test_reservations_are_read(real_live: RealLive, name: str) -> None:
    when = ("starttime=now+2hours", "duration=60", "nodes=n1", f"users={ANN}", "flags=maint")
    real_live.machine.must("scontrol", "create", "reservation", f"reservationname={name}", *when)
    (found,) = real_live.cluster.read_reservations()
    real_live.machine.must("scontrol", "delete", f"reservation={name}")

    assert (found.name, found.hosts, found.users, found.state) == (name, "n1", (ANN,), "INACTIVE")
    assert found.end - found.start == timedelta(hours=1)
    assert real_live.cluster.read_reservations() == ()


def test_components_of_a_heterogeneous_job_are_rows_of_their_own(real_live: RealLive) -> None:
    batch = ("sbatch", "--parsable", f"--account={real_live.account}", "--hold")
    first = (*batch, "--chdir=/tmp", "--output=/dev/null", "--ntasks=1")
    said = real_live.machine.must(*first, ":", "--ntasks=2", "--wrap=sleep 600", user=ANN)
    found = real_live.jobs()

    number = int(said)
    assert {(job.id.number, job.id.part) for job in found.values()} == {
        (number, Component(0)),
        (number, Component(1)),
    }
    assert {job.number for job in found.values()} == {number, number + 1}


def test_tasks_of_an_array_that_run_have_numbers_and_shares_of_their_own(
    real_live: RealLive,
) -> None:
    number = real_live.submit(ANN, Wish(array="1-2"))
    real_live.wait_until(
        lambda: [job.state.base for job in real_live.jobs().values()] == ["RUNNING"] * 2
    )
    found = real_live.jobs()

    assert {str(job.id) for job in found.values()} == {f"{number}_1", f"{number}_2"}
    assert all(shares_of(real_live, job) for job in found.values())


def test_a_job_that_was_put_back_waits_again(real_live: RealLive) -> None:
    number = real_live.submit(ANN, Wish())
    first = running(real_live, number)
    real_live.machine.must("scontrol", "requeuehold", str(number))
    real_live.wait_until(lambda: real_live.jobs()[number].state.phase is Phase.PENDING)
    job = real_live.jobs()[number]

    assert (job.state.is_terminal, job.restarts) == (False, first.restarts + 1)


def test_a_suspended_job_is_suspended(real_live: RealLive) -> None:
    job = running(real_live, real_live.submit(ANN, Wish()))
    real_live.machine.must("scontrol", "suspend", str(job.number))
    real_live.wait_until(lambda: real_live.jobs()[job.number].state.phase is Phase.SUSPENDED)

    found = real_live.jobs()[job.number]
    assert shares_of(real_live, found) != ()
    suspended = record_of(real_live, found).suspended
    assert suspended is not None
    assert suspended >= job.submitted


HELD = (
    ("--mem-per-cpu=64 --cpus-per-task=2", {"memory_mib": 64, "memory_of": MemoryOf.CPU}),
    ("--mem=1536", {"memory_mib": 1536, "memory_of": MemoryOf.NODE}),
    ("--cpus-per-task=2", {"cpus_per_task": 2}),
    ("--contiguous --exclude=n2", {"is_contiguous": True, "excluded_hosts": "n2"}),
    ("--exclusive", {"sharing": "NO"}),
    ("--exclusive=user", {"sharing": "USER"}),
    ("--oversubscribe", {"sharing": "YES"}),
    ("--time=60 --time-min=10", {"min_limit_s": 600}),
    ("--mincpus=2 --tmp=100", {"min_cpus": 2, "min_disk_mib": 100}),
    ("--switches=1@01:00", {"switches": 1, "switches_wait_s": 60}),
    ("--nodes=2-4 --ntasks=4", {"max_nodes": 4}),
    ("--extra-node-info=2:2:1", {"layout": Layout(0, 0, 2, 2, 1)}),
    ("--ntasks=2 --ntasks-per-core=1 --ntasks-per-socket=1", {"tasks_per": TasksPer(0, 0, 1, 1)}),
    ("--ntasks-per-node=2", {"tasks_per": TasksPer(2, 0, None, None)}),
    ("--network=ib", {"network": "ib"}),
)
"""Options of sbatch, and what is told of a job that was handed in with them."""


@pytest.mark.parametrize(("options", "wanted"), HELD, ids=[options for options, _ in HELD])
def test_whatever_is_asked_for_a_job_is_told_as_it_was_asked_for(
    real_live: RealLive, options: str, wanted: dict[str, object]
) -> None:
    record = record_of(real_live, held(real_live, *options.split()))

    told = record.asked._asdict()
    assert {name: told[name] for name in wanted} == wanted


def held(live: RealLive, *options: str) -> LiveJob:
    """Hand in a job of Ann's that waits."""
    batch = ("sbatch", "--parsable", f"--account={live.account}", "--hold", "--output=/dev/null")
    said = live.machine.must(*batch, "--chdir=/tmp", *options, "--wrap=true", user=ANN)
    return live.jobs()[int(said.partition(";")[0])]


def test_a_file_to_read_from_is_told_with_its_number_and_its_spaces(real_live: RealLive) -> None:
    job = held(real_live, "--input=/tmp/in %j")

    assert record_of(real_live, job).stdin == f"/tmp/in {job.number}"  # noqa: S108 - a name


def test_what_is_sampled_of_a_job_is_told(real_live: RealLive) -> None:
    assert held(real_live).profile == "NotSet"
    assert held(real_live, "--profile=task").profile == "Task"


def test_devices_are_told_in_the_words_of_the_release(real_live: RealLive) -> None:
    tres = record_of(real_live, held(real_live, "--gpus=1", "--cpus-per-gpu=2")).asked.tres

    assert tres.per_job.endswith("gpu:1")
    assert tres.cpus_per_tres.endswith("gpu:2")
    assert (tres.per_socket, tres.bind) == ("", "")


def test_how_many_tasks_of_an_array_run_at_once_is_told_of_each(real_live: RealLive) -> None:
    real_live.submit(ANN, Wish(array="1-3%2"))
    real_live.wait_until(lambda: sum(bool(job.hosts) for job in real_live.jobs().values()) == 2)
    found = [record_of(real_live, job) for job in real_live.jobs().values()]

    assert [record.at_once for record in found] == [2, 2, 2]


def test_the_worst_exit_code_of_a_jobs_steps_is_told_besides_its_own(real_live: RealLive) -> None:
    command = "srun --mem=5 sh -c 'exit 3'; exit 0"
    job = ended(real_live, real_live.submit(ANN, Wish(command=command)))

    assert (job.exit, record_of(real_live, job).derived_exit) == ((0, 0), (3, 0))


def test_tasks_that_wait_together_are_told_of_although_somebody_else_claims_to_be_them(
    real_live: RealLive,
) -> None:
    number = real_live.submit(ANN, Wish(held=True, array="3-5%2"))
    real_live.submit(BOB, Wish(held=True, name=f"x\nJobId={number} JobName=y UserId=z(1) GroupId="))
    found = real_live.jobs()

    assert record_of(real_live, found[number]).at_once == 2
