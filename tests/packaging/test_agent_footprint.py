"""The agent loads nothing of what only other fronts use, and its memory is that of its libraries.

The contract "The agent carries nothing of what only other fronts use" says so of the sources; here
an interpreter is asked what it has loaded.
"""

import subprocess
import sys
import tomllib
from collections.abc import Mapping

import pytest

from benchmarks.bare_start import LIBRARIES
from tests.places import PROJECT

START = "import waldur_slurm.agent.main"
EVERYTHING = """
import importlib, pkgutil, waldur_slurm.agent
for found in pkgutil.walk_packages(waldur_slurm.agent.__path__, "waldur_slurm.agent."):
    importlib.import_module(found.name)
"""
TELL_MODULES = "\nimport sys; print(*sys.modules)"
TELL_PEAK = "\nprint(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])"

AT_START = 75
"""Modules of ours that a start loads; they were 67 when this was written."""


def told(program: str) -> list[str]:
    environ: Mapping[str, str] = {"PYTHONPATH": str(PROJECT)}
    argv = (sys.executable, "-c", program)
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.split()


def loaded(program: str) -> set[str]:
    return {name for name in told(program + TELL_MODULES) if name.startswith("waldur_slurm.")}


def others() -> set[str]:
    """What the contract forbids."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (of_agent,) = (each for each in contracts if each["name"].startswith("The agent carries"))
    return {*of_agent["forbidden_modules"]}


def is_below(name: str, rooms: set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def test_the_rooms_that_the_agent_does_without_are_all_named() -> None:
    rooms = {"slurm.live", "slurm.past", "slurm.batch", "hand", "model.live", "model.batch"}

    assert {f"waldur_slurm.{room}" for room in rooms} <= others()


@pytest.mark.parametrize("program", [START, EVERYTHING], ids=["start", "everything"])
def test_no_module_of_other_fronts_is_loaded(program: str) -> None:
    found = loaded(program)

    assert "waldur_slurm.agent.main" in found
    assert [name for name in sorted(found) if is_below(name, others())] == []


def test_a_start_loads_no_more_of_ours_than_it_did() -> None:
    assert len(loaded(START)) <= AT_START


def test_a_start_takes_less_memory_than_its_libraries_together() -> None:
    """It loads each when it is needed; `make bench ARGS=daemon` has the time and the memory."""
    (start,) = told(START + TELL_PEAK)
    (libraries,) = told(f"import {', '.join(LIBRARIES)}{TELL_PEAK}")

    assert int(start) < int(libraries)
