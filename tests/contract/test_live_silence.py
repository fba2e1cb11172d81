"""Silence is not emptiness: when slurmctld is away, nothing is told of jobs or machines.

All questions are asked at once, as each waits for as long as Slurm's own tools do.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.contract.live_site import LiveSite, RealLive, Wish
from tests.contract.site import PEOPLE
from tests.fakes.cluster import live_job
from waldur_slurm.errors import SlurmError
from waldur_slurm.slurm.live.port import Cluster

ANN, BOB, _ = PEOPLE

CALLS: dict[str, Callable[[Cluster], object]] = {
    "read_jobs": lambda cluster: cluster.read_jobs(),
    "read_details": lambda cluster: cluster.read_details([live_job(state="RUNNING", hosts="n1")]),
    "read_nodes": lambda cluster: cluster.read_nodes(),
    "read_partitions": lambda cluster: cluster.read_partitions(),
    "read_reservations": lambda cluster: cluster.read_reservations(),
    "read_licenses": lambda cluster: cluster.read_licenses(),
    "read_statistics": lambda cluster: cluster.read_statistics(),
    "read_configuration": lambda cluster: cluster.read_configuration(),
    "read_versions": lambda cluster: cluster.read_versions(),
}
"""Every reading that asks slurmctld."""


def failures(cluster: Cluster) -> dict[str, bool | str]:
    """Whether each call said that nobody answers, or else what it told."""

    def outcome(call: Callable[[Cluster], object]) -> bool | str:
        try:
            return repr(call(cluster))
        except SlurmError as error:
            return error.transient

    with ThreadPoolExecutor(len(CALLS)) as pool:
        return dict(zip(CALLS, pool.map(outcome, CALLS.values()), strict=True))


def test_a_slurmctld_that_is_down_is_silence_and_comes_back(live: LiveSite) -> None:
    number = live.submit(ANN, Wish(held=True))
    with live.down():
        assert failures(live.cluster) == dict.fromkeys(CALLS, True)
        assert [each.is_up for each in live.cluster.ping()] == [False]
    assert live.jobs().keys() == {number}


def test_a_slurmctld_that_is_frozen_is_silence_and_comes_back(live: LiveSite) -> None:
    number = live.submit(ANN, Wish(held=True))
    with live.frozen():
        assert failures(live.cluster) == dict.fromkeys(CALLS, True)
    assert live.jobs().keys() == {number}


def test_without_slurmdbd_all_is_told_but_qos(live: LiveSite) -> None:
    number = live.submit(ANN, Wish(held=True))
    with live.without_accounting():
        told = failures(live.cluster)
        assert [name for name, said in told.items() if said is True] == []
        assert live.jobs().keys() == {number}
        assert is_silent(live.cluster)


def is_silent(cluster: Cluster) -> bool:
    try:
        cluster.read_qos()
    except SlurmError as error:
        return error.transient
    return False


def test_while_slurmctld_starts_anew_every_answer_is_silence_or_the_whole_queue(
    real_live: RealLive,
) -> None:
    wanted = {real_live.submit(user, Wish(held=True)) for user in (ANN, BOB) for _ in range(5)}
    answers: list[set[int] | None] = []

    def ask() -> None:
        try:
            answers.append(set(real_live.jobs()))
        except SlurmError as error:
            if not error.transient:
                raise
            answers.append(None)

    with ThreadPoolExecutor(1) as pool:
        for kill in (False, True):
            machine = real_live.machine
            restart = machine.kill_daemon if kill else machine.stop_daemon
            restart("slurmctld")
            starting = pool.submit(machine.start_daemon, "slurmctld")
            while not starting.done():
                ask()
            starting.result()
            ask()
    assert answers[-1] == wanted
    assert [answer for answer in answers if answer not in (None, wanted)] == []
