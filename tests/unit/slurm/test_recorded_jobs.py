"""What real Slurm said about jobs, in each recorded release, is understood as it was meant.

`tests/recorded/record_jobs.py` wrote the calls and says how the site was furnished.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.transport import read_calls, replay
from tests.places import RECORDED
from tests.recorded import job_scenes as scenes
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.batch import Cancelled, Component, JobId, Refusal, Refused, Span, Tasks
from waldur_slurm.model.cluster import Controller, Reservation
from waldur_slurm.model.details import MemoryOf
from waldur_slurm.model.job_state import JobOutcome
from waldur_slurm.model.live import LiveJob, NodeShare
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob, PastQuery, PastStep
from waldur_slurm.slurm.batch.port import OutcomeUnknown

RELEASES = sorted(folder for folder in RECORDED.iterdir() if (folder / "queue.json").exists())
ANN, BOB = map(UserName, ("wsat-ann", "wsat-bob"))
HELD, LEFT, CANCELLED, ANOTHERS = 1, 6, 8, 9
"""Numbers that the jobs were given in the order of their submission."""


@pytest.fixture(params=RELEASES, ids=lambda folder: folder.name)
def release(request: pytest.FixtureRequest) -> Path:
    found = request.param
    assert isinstance(found, Path)
    return found


def queue(release: Path) -> scenes.Queue:
    return scenes.read_queue(scenes.cluster_of(replay(release / "queue.json")))


def jobs(release: Path) -> dict[int, LiveJob]:
    return {job.number: job for job in queue(release).listing.jobs}


def history(release: Path) -> tuple[dict[int, PastJob], list[PastStep]]:
    """Read the window that was asked for then."""
    said = " ".join(word for call in read_calls(release / "history.json") for word in call.argv)
    since, until = (
        datetime.fromtimestamp(int(re.findall(rf"--{end}time=uts(\d+)", said)[0]), UTC)
        for end in ("start", "end")
    )
    client = scenes.history_of(replay(release / "history.json"))
    found, steps = scenes.read_history(client, PastQuery(since, until))
    return {job.id.number: job for job in found}, steps


def test_jobs_are_recorded_of_every_release_of_debian() -> None:
    assert [folder.name for folder in RELEASES] == ["22.05.8", "24.11.5", "26.05.5"]


def test_the_queue_holds_every_job_with_its_true_owner_and_state(release: Path) -> None:
    listing = queue(release).listing
    assert listing.unreadable == ()
    assert {str(job.id): (job.user, str(job.state)) for job in listing.jobs} == {
        "1": (ANN, "PENDING"),
        "2+0": (ANN, "PENDING"),
        "2+1": (ANN, "PENDING"),
        "4_[1-9%2]": (ANN, "PENDING"),
        "5": (ANN, "RUNNING"),
        "6": (ANN, "FAILED"),
        "7": (ANN, "PENDING"),
        "8": (ANN, "CANCELLED"),
        "9": (BOB, "RUNNING"),
        "10": (BOB, "RUNNING"),
        "11": (BOB, "RUNNING"),
    }


def test_texts_that_look_like_rows_stay_texts(release: Path) -> None:
    found = jobs(release)
    assert found[10].name.startswith("x\n\nJobId=1 JobName=x\n   JobState=SUSPENDED")
    assert found[11].name == found[11].comment == "x|y\n4711|COMPLETED|root\n~~"


def test_parts_limits_ends_and_reasons_are_read(release: Path) -> None:
    found = jobs(release)
    assert found[3].id == JobId(2, Component(1))
    assert found[4].id == JobId(4, Tasks((Span(1, 9),), at_once=2))
    whole_minutes = 93_840  # 1-02:03:04 was asked for
    assert (found[HELD].limit_s, found[HELD].reason) == (whole_minutes, "JobHeldUser")
    assert found[LEFT].exit == (3, 0)
    assert found[LEFT].state.outcome is JobOutcome.FAILED
    assert (found[7].restarts, found[7].state.is_terminal) == (1, False)
    assert found[5].tres == {"cpu": 2, "mem": 20, "node": 2, "billing": 6, "gres/gpu": 2}


def test_shares_are_told_of_honest_jobs_and_a_forger_has_none(release: Path) -> None:
    found = queue(release)
    shares = {run.id: details.shares for run, details in found.details.items()}
    holding = {number for number, told in shares.items() if told}
    assert (holding, "10" in shares) == ({"5", "9", "11"}, False)
    assert shares["5"] is not None
    (wide,) = shares["5"]
    assert wide == NodeShare("n[1-2]", wide.cpu_ids, 10, "gpu:1(IDX:0)")
    assert wide.cpus == 1


def test_what_was_asked_for_is_told_of_every_job_but_a_forgers(release: Path) -> None:
    found = queue(release)
    records = {run.id: details.record for run, details in found.details.items()}
    assert {run for run, record in records.items() if record} == {
        *("1", "2+0", "2+1", "4_[1-9%2]", "5", "6", "7", "8", "9", "11"),
    }
    asked = {run: record.asked for run, record in records.items() if record}
    assert {(each.memory_mib, each.memory_of) for each in asked.values()} == {(10, MemoryOf.NODE)}
    assert {each.sharing for each in asked.values()} == {"OK"}
    knows_power, tells_requests = release.name < "24", release.name >= "24"
    assert {each.power for each in asked.values()} == {"" if knows_power else None}
    assert (asked["5"].requested is not None) == tells_requests
    throttled, component = records["4_[1-9%2]"], records["2+1"]
    assert throttled is not None
    assert component is not None
    assert (throttled.at_once, component.components) == (2, "2-3")
    assert {job.association > 0 for job in found.listing.jobs} == {True}
    assert {job.profile for job in found.listing.jobs} == {"NotSet"}


def test_machines_and_their_reasons_are_read(release: Path) -> None:
    cluster = scenes.cluster_of(replay(release / "cluster.json"))
    nodes = {node.name: node for node in cluster.read_nodes()}
    assert [str(nodes[name].state.base) for name in ("n1", "n2")] == ["MIXED", "MIXED"]
    assert (nodes["n1"].why, nodes["n2"].state.flags) == (None, ("DRAIN",))
    why = nodes["n2"].why
    assert why is not None
    assert (why.text, why.by) == ("bad disk State=IDLE CPUTot=1", "root")
    assert (nodes["n1"].cpus, nodes["n1"].memory_mib, nodes["n1"].gres) == (8, 32_000, "gpu:4")
    assert [part.name for part in cluster.read_partitions()] == ["main"]
    (reservation,) = cluster.read_reservations()
    assert shown(reservation) == ("upkeep", "INACTIVE", "n1", (ANN,), 3600)


def shown(found: Reservation) -> tuple[object, ...]:
    seconds = (found.end - found.start).total_seconds()
    return found.name, found.state, found.hosts, found.users, seconds


def test_qos_and_what_slurmctld_says_of_itself_are_read(release: Path) -> None:
    cluster = scenes.cluster_of(replay(release / "cluster.json"))
    qos = {each.name: each for each in cluster.read_qos()}
    high = qos["high"]
    assert (high.jobs_per_user, high.max_wall_s, high.description) == (3, 86_400, "fast | lane")
    assert cluster.read_licenses() == ()
    statistics = cluster.read_statistics()
    assert statistics.since <= statistics.at
    assert "REQUEST_JOB_INFO" in {rpc.name for rpc in statistics.by_message}
    assert {"root", ANN} <= {rpc.name for rpc in statistics.by_user}
    (controller,) = cluster.ping()
    assert controller == Controller("primary", controller.host, is_up=True)
    versions = cluster.read_versions()
    assert (versions.tools, versions.slurmctld) == (release.name, release.name)


def test_every_job_that_slurm_does_not_take_is_refused_in_its_own_kind(release: Path) -> None:
    batch = scenes.batch_of(replay(release / "submit-refused.json"))
    assert scenes.submit_what_is_refused(batch) == {
        "partition": Refusal.PARTITION,
        "account": Refusal.ACCOUNT,
        "qos": Refusal.QOS,
        "limit": Refusal.LIMIT,
        "deadline": Refusal.TIME,
        "feature": Refusal.RESOURCES,
        "node": Refusal.RESOURCES,
        "gres": Refusal.RESOURCES,
        "memory": Refusal.RESOURCES,
        "licence": Refusal.RESOURCES,
        "reservation": Refusal.RESOURCES,
        "array": Refusal.OPTION,
        "cluster": Refusal.CLUSTER,
        "priority": Refusal.NOT_ALLOWED,
        "empty": Refusal.SCRIPT,
        "no-interpreter": Refusal.SCRIPT,
        "line-ends": Refusal.SCRIPT,
        "option": Refusal.OPTION,
        "time": Refusal.TIME,
        "dependency": Refusal.DEPENDENCY,
    }


def test_a_job_that_is_taken_has_a_number_and_an_estimate_has_a_place(release: Path) -> None:
    submitted, estimate = scenes.submit(scenes.batch_of(replay(release / "submit.json")))
    assert submitted.id.number > ANOTHERS
    assert (estimate.nodes, estimate.partition, estimate.processors) == ("n1", "main", 1)


def test_nobody_steers_anothers_job_or_more_than_a_user_may(release: Path) -> None:
    batch = scenes.batch_of(replay(release / "steer-refused.json"))
    looks_at_states_first = release.name.startswith("26.")
    assert scenes.steer(batch, JobId(HELD), JobId(ANOTHERS)) == {
        "hold another's": Refusal.NOT_ALLOWED,
        "change another's": Refusal.NOT_ALLOWED,
        "release nobody's": Refusal.JOB,
        "suspend one's own": Refusal.STATE if looks_at_states_first else Refusal.NOT_ALLOWED,
        "raise one's own": Refusal.NOT_ALLOWED,
        "move one's own": Refusal.PARTITION,
    }


def test_cancelling_tells_what_became_of_each_job(release: Path) -> None:
    batch = scenes.batch_of(replay(release / "cancel.json"))
    outcomes = scenes.cancel_all(batch, JobId(HELD), JobId(ANOTHERS))
    refused = outcomes[JobId(ANOTHERS)]
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.NOT_ALLOWED
    assert outcomes[JobId(HELD)] is Cancelled.SPARED
    assert outcomes[scenes.NOWHERE] is Cancelled.ABSENT


def test_history_holds_jobs_with_their_runs_and_ends(release: Path) -> None:
    found, _ = history(release)
    assert {5, LEFT, 7, CANCELLED, ANOTHERS, 10, 11} <= found.keys()
    assert HELD not in found
    assert (found[LEFT].last.state.base, found[LEFT].last.exit) == ("FAILED", (3, 0))
    assert found[CANCELLED].last.state.by is not None
    assert found[CANCELLED].last.state.outcome is JobOutcome.CANCELLED
    assert found[7].runs[0].state.base == "REQUEUED"
    assert found[5].last.allocated == {"cpu": 2, "mem": 20, "node": 2, "billing": 6, "gres/gpu": 2}
    assert {found[number].last.user for number in (ANOTHERS, 10, 11)} == {BOB}
    assert found[11].last.name == "x|y\n4711|COMPLETED|root\n~~"


def test_steps_of_history_belong_to_their_jobs(release: Path) -> None:
    _, steps = history(release)
    batches = {step.job.number: step for step in steps if step.step == "batch"}
    assert {5, LEFT, CANCELLED, ANOTHERS} <= batches.keys()
    assert batches[LEFT].state.base == "FAILED"
    assert batches[LEFT].cpu_seconds < 1


def test_people_and_their_associations_are_read(release: Path) -> None:
    client = scenes.history_of(replay(release / "history.json"))
    assert {(each.name, each.default_account) for each in client.read_people()} == {
        ("root", "root"),
        (ANN, "batch"),
        (BOB, "batch"),
    }
    assert {(each.user, each.account) for each in client.read_memberships()} == {
        ("root", "root"),
        (ANN, "batch"),
        (BOB, "batch"),
        (ANN, "batchfull"),
    }


def test_a_slurmctld_that_is_away_is_silence_to_every_question(release: Path) -> None:
    transport = replay(release / "jobs-without-slurmctld.json")
    asked = scenes.questions(scenes.cluster_of(transport), scenes.batch_of(transport))
    told: dict[str, str] = {}
    for name, ask in asked.items():
        try:
            told[name] = repr(ask())
        except OutcomeUnknown:
            told[name] = "outcome unknown"
        except SlurmError as error:
            told[name] = "silence" if error.transient else repr(error)
    assert told == dict.fromkeys(asked, "silence")


def test_a_slurmdbd_that_is_away_is_no_empty_history(release: Path) -> None:
    client = scenes.history_of(replay(release / "history-without-slurmdbd.json"))
    now = datetime.now(UTC)
    with pytest.raises(SlurmError) as silent:
        scenes.read_history(client, PastQuery(now.replace(year=2026), now))
    assert silent.value.transient
