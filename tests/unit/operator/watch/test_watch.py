"""What is shown of a running operator: whether it lives and works, and what it did."""

import urllib.error
import urllib.request
from datetime import timedelta
from http.client import HTTPResponse

import pytest

from tests.unit.operator.jobs.bench import Bench
from waldur_slurm.operator.jobs.cycle import Turned
from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.operator.jobs.turning import Turning
from waldur_slurm.operator.model.slurm_job import SlurmJob, Spec
from waldur_slurm.operator.watch.health import STUCK_AFTER, Health
from waldur_slurm.operator.watch.metrics import Metrics
from waldur_slurm.operator.watch.pages import Watch
from waldur_slurm.telemetry.events import Event, Level

SECOND = timedelta(seconds=1)


def metrics(*jobs: SlurmJob) -> Metrics:
    return Metrics("1", lambda: Snapshot(jobs, SECOND), lambda: ["alpha"])


def lines(made: Metrics) -> list[str]:
    return made.exposition().decode().splitlines()


def job(uid: str, **status: object) -> SlurmJob:
    return SlurmJob("physics", uid, uid, Spec(""), status=status)


def test_slurm_jobs_are_counted_by_cluster_and_phase() -> None:
    shown = lines(metrics(job("a", cluster="alpha", phase="Running"), job("b")))

    assert 'slurm_operator_jobs{cluster="alpha",phase="Running"} 1.0' in shown
    assert 'slurm_operator_jobs{cluster="",phase="Pending"} 1.0' in shown
    assert "slurm_operator_store_age_seconds 1.0" in shown


@pytest.mark.parametrize("phase", ["Dancing", ["Running"], {"a": 1}, 7])
def test_a_status_that_somebody_made_up_makes_no_series_of_its_own(phase: object) -> None:
    shown = lines(metrics(job("a", cluster="made-up", phase=phase)))

    assert 'slurm_operator_jobs{cluster="",phase="Unknown"} 1.0' in shown
    assert not any("made-up" in line for line in shown)


def test_a_cycle_tells_what_the_metrics_count() -> None:
    bench = Bench()
    made = metrics()
    bench.kube.apply()
    bench.turn(3)
    for event in bench.told:
        made(event)

    shown = lines(made)
    assert 'slurm_operator_acts_total{act="submitted"} 1.0' in shown
    assert 'slurm_operator_acts_total{act="refused"} 0.0' in shown
    assert 'slurm_operator_cluster_silent{cluster="alpha"} 0.0' in shown
    assert 'slurm_operator_unknown_jobs{cluster="alpha"} 0.0' in shown
    assert any(
        line.startswith('slurm_operator_lookups_total{cluster="alpha",outcome="answered"}')
        for line in shown
    )


def crash() -> Turned:
    raise RuntimeError("a defect")


@pytest.mark.parametrize(("turn", "outcome"), [(Turned, "ok"), (crash, "crashed")])
def test_each_turn_is_timed_however_it_ends(turn: type[Turned], outcome: str) -> None:
    told: list[Event] = []
    turning = Turning("alpha", turn, lambda: None, told.append, 0.01)
    turning.start()
    while not any(event.name == "turn.ended" for event in told):
        turning.wake()
    turning.leave()
    turning.join()

    made = metrics()
    for event in told:
        made(event)
    counted = f'slurm_operator_turn_seconds_count{{cluster="alpha",outcome="{outcome}"}}'
    assert any(line.startswith(counted) for line in lines(made))


def test_it_works_while_the_api_server_is_heard_and_lives_while_the_loop_comes_round() -> None:
    known: list[Snapshot | None] = [None]
    quiet = [timedelta()]
    health = Health(lambda: known[0], lambda: quiet[0])

    assert not health.work().is_well
    assert health.life().is_well
    known[0] = Snapshot((), SECOND)
    assert health.work().is_well
    known[0] = Snapshot((), timedelta(minutes=2))
    assert health.work().words == "nothing is decided: the API server was silent for 120 s"
    assert health.life().is_well
    quiet[0] = STUCK_AFTER + SECOND
    assert not health.life().is_well


def asked(port: int, path: str) -> HTTPResponse:
    found: HTTPResponse = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60)
    return found


def test_the_pages_are_served_with_what_was_heard() -> None:
    watch = Watch("1", timedelta)
    watch(Event(name="slurmjob.trouble", level=Level.WARNING))

    with watch.serving("127.0.0.1", 0, watch) as port:
        with asked(port, "/healthz") as answer:
            assert answer.read() == b"the loop comes round\n"
        with pytest.raises(urllib.error.HTTPError) as refused:
            asked(port, "/readyz")
        assert refused.value.code == 503
        refused.value.close()
        watch.look_at(lambda: Snapshot((), SECOND), tuple)
        with asked(port, "/readyz") as answer:
            assert answer.status == 200
        with asked(port, "/metrics") as answer:
            assert b'event="slurmjob.trouble",level="warning"} 1.0' in answer.read()
