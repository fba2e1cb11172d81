"""One cycle of any agent is measured from outside it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers import one_cycle

AGENT = """
import sys
from time import sleep

def patient():
    sleep(0.01)
    print(sys.argv[1:])
    sleep(61)
    raise AssertionError("the cycle was over")

def failing():
    sys.exit("no such thing")

def broken():
    raise RuntimeError("bug")
"""


def run_one_cycle(directory: Path, function: str, *arguments: str) -> tuple[str, Any]:
    (directory / "agent.py").write_text(AGENT)
    report = directory / "report.json"
    done = subprocess.run(
        [sys.executable, one_cycle.__file__, str(report), f"agent:{function}", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(directory)},
    )
    return done.stdout, json.loads(report.read_text()) if report.exists() else None


def test_a_long_nap_ends_the_cycle_and_a_short_one_belongs_to_it(tmp_path: Path) -> None:
    said, figures = run_one_cycle(tmp_path, "patient", "once")

    assert said == "['once']\n"
    assert figures["failed"] is False
    assert figures["seconds"] >= 0.01
    assert figures["megabytes"] > 1


def test_an_agent_that_fails_is_not_taken_for_a_quick_one(tmp_path: Path) -> None:
    assert run_one_cycle(tmp_path, "failing")[1]["failed"] is True


def test_an_agent_that_breaks_leaves_no_figures(tmp_path: Path) -> None:
    assert run_one_cycle(tmp_path, "broken")[1] is None
