"""Each SlurmJob brings an ssh account of its own; nobody's key opens another's job."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest

from tests.fakes.jobs import FakeJobs, FakeSlurmQueue
from tests.fakes.kube_jobs import KUBERNETES, FakeKube
from tests.fakes.transport import ScriptedTransport
from tests.unit.operator.jobs.bench import Bench
from waldur_slurm.errors import NotLetIn
from waldur_slurm.operator.errors import Gone
from waldur_slurm.operator.jobs.port import Unreached, Wanted
from waldur_slurm.operator.model.cluster import BySsh, RunsAs
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.operator.model.slurm_job import LOGIN, SecretKey, SlurmJob
from waldur_slurm.operator.ways.accounts import Account
from waldur_slurm.operator.ways.direct_jobs import DirectJobs
from waldur_slurm.operator.ways.ssh_doors import KEPT_S, NONE_IS_OPEN, Opened, SshDoors
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports.ssh_master import KeyText


@dataclass
class Host:
    """A login host: by whose key which account was opened, and the Slurm behind it."""

    queue: FakeSlurmQueue = field(default_factory=FakeSlurmQueue)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    now: float = 0.0
    closed: list[str] = field(default_factory=list)
    opened: list[tuple[str, str]] = field(default_factory=list)
    kube: FakeKube = field(default_factory=FakeKube)

    def __post_init__(self) -> None:
        self.doors = SshDoors(self.read_secret, self.open, lambda: self.now)

    def read_secret(self, namespace: str, wanted: SecretKey) -> str:
        try:
            return self.secrets[namespace, wanted.name]
        except KeyError:
            raise Gone(f'secrets "{wanted.name}" not found') from None

    def open(self, account: Account) -> Opened:
        assert isinstance(account.key, KeyText)
        self.opened.append((account.user, account.key.private))
        text = account.key.private
        return Opened(FakeJobs(self.queue), lambda: self.closed.append(text))

    def job(self, namespace: str = "physics", user: str = "ann", name: str = "cow") -> SlurmJob:
        ssh: dict[str, Any] = {
            "user": user,
            "key": {"secretKeyRef": {"name": "mine", "key": "id"}},
        }
        return self.kube.job(self.kube.apply(name, namespace, ssh=ssh))

    def admit(self, *jobs: SlurmJob) -> None:
        self.doors.admit({mark(job): job for job in jobs})


def mark(job: SlurmJob) -> str:
    return Identity(KUBERNETES, job.uid).mark


def wanted(job: SlurmJob) -> Wanted:
    assert job.spec.ssh is not None
    return Wanted(job.uid, mark(job), job.spec.batch, job.spec.ssh.user)


def test_a_job_is_handed_in_over_the_account_that_its_slurmjob_brings() -> None:
    host = Host(secrets={("physics", "mine"): "KEY A"})
    job = host.job()
    host.admit(job)
    ref = host.doors.submit(wanted(job))

    assert host.opened == [("ann", "KEY A")]
    assert host.doors.look_up([mark(job)]).jobs[mark(job)].ref == ref
    host.admit(job)
    assert len(host.opened) == 1


def test_two_namespaces_that_name_one_account_open_it_each_with_its_own_key() -> None:
    host = Host(secrets={("physics", "mine"): "KEY A", ("else", "mine"): "KEY B"})
    host.admit(host.job(), host.job("else"))

    assert sorted(host.opened) == [("ann", "KEY A"), ("ann", "KEY B")]


def test_whose_key_is_missing_is_unknown_with_the_reason_and_hands_nothing_in() -> None:
    host = Host(secrets={("physics", "mine"): "KEY A"})
    his, other = host.job(), host.job("else")
    host.admit(his, other)
    found = host.doors.look_up([mark(his), mark(other)])
    with pytest.raises(Unreached, match="not found"):
        host.doors.submit(wanted(other))

    assert (found.absent, found.unknown) == (frozenset({mark(his)}), frozenset({mark(other)}))
    assert 'secrets "mine" not found' in found.shut[mark(other)]
    assert found.said == ""
    assert host.queue.jobs == []


def test_who_names_another_account_later_hears_which_one_has_the_job() -> None:
    host = Host(secrets={("physics", "mine"): "KEY A"})
    job = host.job()
    host.kube.annotate(job.uid, LOGIN, "ann")
    host.job(user="bob")
    job = host.kube.job(job.uid)
    host.admit(job)

    assert "accepted for the account ann" in host.doors.look_up([mark(job)]).shut[mark(job)]


def test_connections_end_with_the_way_and_where_a_key_was_changed() -> None:
    host = Host(secrets={("physics", "mine"): "KEY A"})
    job = host.job()
    host.admit(job)
    host.secrets["physics", "mine"] = "KEY B"
    host.now += KEPT_S + 1
    host.admit(job)
    assert (host.closed, host.opened[-1]) == (["KEY A"], ("ann", "KEY B"))

    host.now += 2 * KEPT_S
    host.admit()
    host.doors.close()
    assert host.closed == ["KEY A", "KEY B"]


def test_that_nobody_brought_an_account_yet_is_no_trouble_and_shows_no_job_as_gone() -> None:
    bench = Bench()
    bench.cycle.jobs = Host().doors
    bench.turn(20)

    assert bench.names() == []
    assert bench.cycle.jobs.list_marked("k8s:").said == NONE_IS_OPEN


class Denied(ScriptedTransport):
    """A login host that does not take the key, however often it is tried."""

    def __init__(self) -> None:
        super().__init__([])

    def run(self, argv: tuple[str, ...], **_: object) -> Completed:
        self.asked.append(argv)
        raise NotLetIn("login1 does not let ann in by the key that was given")


class Picky(Host):
    """Takes no key but those that it knows."""

    def open(self, account: Account) -> Opened:
        opened = super().open(account)
        if account.key == KeyText("WRONG"):
            return Opened(DirectJobs(self.denied, account.user), opened.close)
        return opened

    @cached_property
    def denied(self) -> Denied:
        return Denied()


def bench_of(host: Host) -> Bench:
    """A cluster that is reached over that host, in which two namespaces may bring accounts."""
    bench = Bench(kube=host.kube, queue=host.queue)
    opened = {each: RunsAs("nobody", may_use_ssh=True) for each in ("physics", "else")}
    bench.let_in(by=BySsh("login1", 22, "keys"), namespaces=opened)
    bench.cycle.jobs, bench.cycle.admit = host.doors, host.doors.admit
    return bench


@pytest.mark.operator_fault("the ssh key of a SlurmJob is missing, or wrong")
@pytest.mark.parametrize("key", [None, "", "WRONG"])
def test_whose_key_is_missing_or_wrong_waits_alone_and_hears_which_secret_to_mend(
    key: str | None,
) -> None:
    host = Picky(secrets={("physics", "mine"): "KEY A"})
    if key is not None:
        host.secrets["else", "mine"] = key
    bench = bench_of(host)
    bad = host.job("else").uid
    bench.turn(2)
    assert bench.kube.condition(bad, "ClusterReachable") == ("False", "AccountShut")
    message = bench.kube.message(bad, "ClusterReachable")
    assert "The Secret mine of the namespace else has to have, as id, a private key" in message

    good = host.job().uid
    bench.turn(30)
    assert bench.kube.status(good)["jobId"] == "1"
    assert bench.kube.condition(good, "ClusterReachable") == ("True", "Answers")
    assert bench.kube.reasons(bad) == ["AccountShut"]
    assert {"cluster.silent", "cluster.trouble"}.isdisjoint(bench.names())
    assert bench.names().count("slurmjob.trouble") == 1

    host.secrets["else", "mine"] = "KEY B"
    bench.turn(2)
    assert bench.kube.status(bad)["jobId"] == "2"


def test_a_job_whose_key_is_taken_away_keeps_its_status_and_its_deletion_waits() -> None:
    host = Picky(secrets={("physics", "mine"): "KEY A"})
    bench = bench_of(host)
    uid = host.job().uid
    bench.turn(2)
    host.secrets["physics", "mine"] = "WRONG"
    host.now += KEPT_S + 1
    bench.turn()
    assert bench.kube.condition(uid, "ClusterReachable") == ("True", "Answers")
    bench.turn(15)
    assert bench.kube.condition(uid, "ClusterReachable") == ("False", "AccountShut")
    assert bench.kube.status(uid)["jobId"] == "1"

    bench.kube.delete(uid)
    bench.turn(3)
    assert bench.kube.condition(uid, "ClusterReachable") == ("False", "DeletionWaits")
    host.secrets["physics", "mine"] = "KEY A"
    bench.turn(3)
    assert uid not in bench.kube.objects
    assert [job.state.base for job in host.queue.jobs] == ["CANCELLED"]


def test_a_key_that_is_not_taken_is_not_tried_each_turn() -> None:
    host = Picky(secrets={("physics", "mine"): "WRONG"})
    bench = bench_of(host)
    host.job()
    bench.turn(20)
    assert len(host.denied.asked) == 1

    host.now += KEPT_S + 1
    bench.turn(20)
    assert len(host.denied.asked) == 2
