"""Each recorded call of the original's executor ends as it did there, but for what is meant."""

import json
import re
from typing import Any

import pytest

from tests.fixtures_executor import BOB, SLURMER, ExecutorSite
from tests.places import PROJECT, RECORDED

LINES = (RECORDED / "gateway" / "executor.jsonl").read_text(encoding="utf-8").splitlines()
CALLS = [json.loads(line) for line in LINES]

MEANT = {
    "executor: stdin, id": (
        "uid=2001(alice) gid=2001(alice) groups=2001(alice),3001(alices),3002(both)\n"
    ),
    "executor: stdin, environment reaches the command": (
        "PATH=/usr/local/bin:/usr/bin:/bin\nHOME=/home/alice\nUSER=alice\nLOGNAME=alice\n"
        "SHELL=/bin/sh\nLANG=C.UTF-8\nEXECUTOR_UID=2000\n"
    ),
    "executor: user and command": "2001\n\n",
}
"""What is written where the original kept what is the caller's: his groups and his environment."""


def caller_of(call: dict[str, Any]) -> str:
    """Return who called; the one call for oneself was bob's, as its answer says."""
    is_bobs = "called by bob" in call["state"] or call["case"].endswith("runs as the caller")
    return BOB if is_bobs else SLURMER


@pytest.mark.parametrize("call", CALLS, ids=[call["case"] for call in CALLS])
def test_a_recorded_call_ends_as_it_did_but_for_what_is_meant(
    executor: ExecutorSite, call: dict[str, Any]
) -> None:
    recorded = call["exec"]
    done = executor.run(
        *recorded["argv"][1:],
        caller=caller_of(call),
        stdin=recorded["stdin"] or "",
        environ={"SECRET": "s"},
    )

    expected = MEANT.get(call["case"], recorded["stdout"])
    assert (done.returncode, done.stdout, done.stderr) == (
        recorded["rc"], expected, recorded["stderr"],
    )  # fmt: skip


def test_every_call_was_recorded_with_the_exit_codes_that_are_kept() -> None:
    codes = {call["exec"]["rc"] for call in CALLS}

    assert codes == {0, 1, 2, 3, 4, 6, 7, 10, 11, 13}


def test_each_difference_is_told_with_its_test() -> None:
    page = (PROJECT / "docs" / "gateway-compatibility.md").read_text(encoding="utf-8")
    section = page[page.index("## The executor of Slurmer") :]
    names = set(re.findall(r"`(test_\w+)`", section.split("\n## ")[0]))
    here = (PROJECT / "tests" / "contract" / "executor").glob("*.py")
    defined = {name for path in here for name in re.findall(r"def (test_\w+)", path.read_text())}

    assert names
    assert names <= defined
