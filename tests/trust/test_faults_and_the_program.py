"""The whole program while a side is at fault: it ends, says why, touches nothing, and recovers."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import Waldur
from tests.contract_waldur.faults import FAULTS, trap_for_tokens
from tests.e2e.program import TOOLS
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import StartWaldur
from tests.trust.size import IS_CAMPAIGN, count

FAILED, TRY_AGAIN = 1, 75
OF_WALDUR = tuple(FAULTS) if IS_CAMPAIGN else ("delay", "redirect")
LONGEST_S = 60.0
"""With `REQUESTS_TIMEOUT=1` every request ends after seconds, its repetitions included."""

OF_TOOLS = {
    "missing": "",
    "fail": "echo 'error: something is wrong' >&2; exit 1",
    "say nothing": "exit 0",
    "print rubbish": "head -c 300 /dev/urandom",
    "print half a line": 'printf "lab|ro"',
}
"""Each a line of shell in the place of every tool; none: the tools are not there."""


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


@pytest.fixture(scope="module")
def trap() -> Iterator[tuple[str, list[str]]]:
    with trap_for_tokens() as trap:
        yield trap


def order(waldur: Waldur) -> str:
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    return waldur.order_create(project, "alloc", {"cpu": 10}).resource_uuid


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_tools_in_trouble_end_a_cycle_with_a_plain_word_and_no_change(
    direction: str, waldur: Waldur, new_program: NewProgram, tmp_path: Path
) -> None:
    resource = order(waldur)
    assert new_program(waldur).run("once").returncode == 0
    waldur.order_update(resource, {"cpu": 20})
    waldur.forget_requests()
    for trouble in OF_TOOLS:
        tools = broken_tools(tmp_path / trouble, trouble)

        ended = new_program(waldur, direction, SLURM_BIN_PATH=str(tools)).run("once")

        assert ended.returncode in (FAILED, TRY_AGAIN)
        assert "Traceback" not in ended.stderr
        assert ended.stderr.splitlines()[-1].startswith("waldur-slurm-agent: ")
        assert waldur.writes() == []
        count(f"fault of Slurm, whole program: tools {trouble}")
    assert new_program(waldur, direction).run("once").returncode == 0
    assert new_program(waldur).run("once").returncode == 0
    assert {each["state"] for each in waldur.orders(resource)} == {"done"}


def broken_tools(place: Path, trouble: str) -> Path:
    place.mkdir()
    for tool in TOOLS if OF_TOOLS[trouble] else ():
        script = place / tool
        script.write_text(f"#!/bin/sh\n{OF_TOOLS[trouble]}\n")
        script.chmod(0o755)
    return place


@pytest.mark.parametrize("kind", OF_WALDUR)
def test_a_waldur_at_fault_ends_a_cycle_in_time_and_touches_nothing(
    kind: str,
    waldur: Waldur,
    new_program: NewProgram,
    slurm_cluster: Cluster,
    trap: tuple[str, list[str]],
) -> None:
    elsewhere, arrived = trap
    resource = order(waldur)
    program = new_program(waldur, REQUESTS_TIMEOUT="1")
    pattern, _ = FAULTS[kind]
    values = {"redirect": elsewhere, "delay": 3}
    waldur.fault(replace(pattern, value=values.get(kind, pattern.value)))
    began = time.monotonic()

    ended = program.run("once")

    assert time.monotonic() - began < LONGEST_S
    assert ended.returncode in (FAILED, TRY_AGAIN)
    assert "Traceback" not in ended.stderr
    assert waldur.tokens.provider not in ended.stderr
    assert waldur.order(waldur.orders(resource)[0]["uuid"])["state"] == "pending-provider"
    listed = slurm_cluster.must("sacctmgr", "-nP", "show", "account", "format=descr")
    assert resource not in listed
    waldur.clear_faults()
    assert program.run("once", REQUESTS_TIMEOUT="15").returncode == 0
    assert waldur.resource(resource)["state"] == "OK"
    assert arrived == []
    count(f"fault of Waldur, whole program: {kind}")
