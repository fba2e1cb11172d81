"""What a daemon shows of its work while it does it, with a real Slurm and a running Waldur."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sandbox.waldur import Waldur
from tests.e2e.program import eventually
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import StartWaldur
from waldur_slurm import __version__

NEVER = "1d"


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


@pytest.fixture
def listen(own_port: int) -> str:
    return f"127.0.0.1:{own_port}"


def page(listen: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{listen}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def metrics(listen: str) -> dict[tuple[str, frozenset[str]], float]:
    """Every sample by its name and the values of its labels."""
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page(listen, "/metrics"))
        for sample in family.samples
    }


def test_an_order_that_is_carried_out_shows_in_the_metrics(
    waldur: Waldur, new_program: NewProgram, listen: str
) -> None:
    program = new_program(waldur, WALDUR_SYNC_INTERVAL="1", AGENT_HTTP_LISTEN=listen)
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    with program.daemon() as daemon:
        daemon.hears("STATUS=last cycle ended well")
        waldur.order_create(project, "watched", {"cpu": 10})
        done = ("agent_orders_total", frozenset({"done"}))
        eventually(lambda: metrics(listen)[done] == 1, "the order is counted as done")
        ready, alive, shown = page(listen, "/readyz"), page(listen, "/healthz"), metrics(listen)
        text = page(listen, "/metrics")
        assert daemon.stop() == 0

    assert (ready.split(" ago")[0][:26], alive) == ("the last good cycle ended ", "alive\n")
    assert shown[("agent_orders_total", frozenset({"approved"}))] == 1
    assert shown[("agent_info", frozenset({"pull", "today", __version__}))] == 1
    assert shown[("agent_ready", frozenset())] == 1
    assert shown[("agent_brake_active", frozenset())] == 0
    assert shown[("agent_slurm_command_seconds_count", frozenset({"sacctmgr", "ok"}))] > 2
    assert shown[("agent_waldur_request_seconds_count", frozenset({"GET", "2xx"}))] > 2
    assert shown[("agent_events_total", frozenset({"account.added", "info"}))] == 3
    for phase in ("read", "judge", "work", "tell"):
        assert shown[("agent_cycle_phase_seconds_count", frozenset({phase}))] >= 1
    assert "failed" not in {
        label
        for (name, labels), value in shown.items()
        if name == "agent_slurm_command_seconds_count" and value
        for label in labels
    }
    for secret in ("watched", "hpc_", waldur.offering_uuid, waldur.tokens.provider):
        assert secret not in text


def test_a_push_daemon_shows_its_direction_and_what_is_owed(
    waldur: Waldur, new_program: NewProgram, listen: str
) -> None:
    program = new_program(waldur, "push", WALDUR_SYNC_INTERVAL=NEVER, AGENT_HTTP_LISTEN=listen)
    with program.daemon() as daemon:
        daemon.hears("STATUS=last cycle ended well")
        shown = metrics(listen)
        assert daemon.stop() == 0

    assert ("agent_last_success_timestamp_seconds", frozenset({"push"})) in shown
    assert shown[("agent_interval_seconds", frozenset())] == 86_400
    assert shown[("agent_runaway_jobs", frozenset())] == 0
    assert ("agent_slurm_command_seconds_count", frozenset({"sacct", "ok"})) in shown
