"""Whatever text is in whatever field of a request, a job is what was asked for, or there is none.

The job itself tells its arguments, its variables, its name and where it is.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwnam
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import SMALL, ActingGateway, ActingSite
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN
from tests.trust.hostile import ANY_TEXT, fuzzed
from tests.trust.size import count

TELL = """import json, os, sys
environ = {os.fsdecode(name): os.fsdecode(value) for name, value in os.environb.items()}
print(json.dumps([sys.argv[1:], environ, os.getcwd()]))
"""
PLAIN = {"words": [], "variables": {}, "name": "plain", "comment": "of no note", "folder": ""}
HOSTILE = {
    "words": st.lists(ANY_TEXT, max_size=5),
    "variables": st.dictionaries(st.sampled_from("ABCD"), ANY_TEXT, max_size=4)
    | st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=1),
    "name": ANY_TEXT,
    "comment": ANY_TEXT,
    "folder": ANY_TEXT,
}
ASKED = st.fixed_dictionaries({}, optional=HOSTILE) | st.sampled_from([*HOSTILE]).flatmap(
    lambda field: st.fixed_dictionaries({field: HOSTILE[field]})
)
"""Most often one field alone: else one that is refused hides what becomes of the others."""


@dataclass
class Handed:
    """A job that was taken, and what was asked for."""

    number: str
    asked: dict[str, Any]
    out: Path


def test_a_job_is_what_was_asked_for_whatever_the_words_or_there_is_none(
    acting_site: ActingSite, acting: ActingGateway, lab: Cluster
) -> None:
    token, home = acting_site.token(ANN), acting_site.hand.home(ANN)
    taken: list[Handed] = []
    before = numbers(lab)

    @fuzzed(80, 4000)
    @given(ASKED)
    def check(hostile: dict[str, Any]) -> None:
        given, out = {**PLAIN, **hostile}, home / f"out-{len(taken)}"
        asked = {
            "command": "/usr/bin/python3",
            "args": ["-c", TELL, *given["words"]],
            "environment": given["variables"],
            "options": {
                **SMALL,
                "output": str(out),
                "job_name": given["name"],
                "comment": given["comment"],
                "chdir": made(home, given["folder"]),
            },
        }
        answer = acting.send(token, "POST", "/api/v1/jobs", {"user": ANN, **asked})
        count(f"words of a job: {answer.status}")
        if answer.status == 201:
            taken.append(Handed(answer.json["job_id"], asked, out))
        else:
            assert answer.status in (400, 422), answer.body

    check()

    assert len(taken) > 5
    assert len(numbers(lab)) == len(before) + len(taken)
    for each in taken:
        eventually(lambda: is_told(each), f"{each} has spoken")  # noqa: B023 - called at once
        compare(each, acting.send(token, "GET", f"/api/v1/jobs/{each.number}").json)


def made(home: Path, text: str) -> str:
    """Make Ann a folder with this text in its name, or another where there can be none."""
    for name in (f"_{text}".replace("/", "|"), "plain"):
        path = f"{home}/{name}"
        try:
            Path(path).mkdir(exist_ok=True)
        except (OSError, ValueError):
            continue
        os.chown(path, *getpwnam(ANN)[2:4])
        return path
    raise AssertionError(home)


def numbers(lab: Cluster) -> list[str]:
    return lab.must("squeue", "--noheader", "--all", "--states=all", "--format=%A").split()


def is_told(handed: Handed) -> bool:
    return handed.out.exists() and handed.out.read_text().endswith("]\n")


def compare(handed: Handed, shown: dict[str, Any]) -> None:
    argv, environ, cwd = json.loads(handed.out.read_text())
    asked, options = handed.asked, handed.asked["options"]
    assert argv == asked["args"][2:]
    assert {name: environ.get(name) for name in asked["environment"]} == asked["environment"]
    assert cwd == options["chdir"]
    assert shown["name"] == options["job_name"]
    assert shown["comment"] == options["comment"]
