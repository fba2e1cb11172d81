"""Commands are counted by what was really started, and their memory is their own."""

import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.replay import replaying_tools
from benchmarks.tools import CommandFailed, Tools

ENVIRON = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    real = tmp_path / "real"
    real.mkdir()
    for name, does in (("sacct", "cat"), ("sacctmgr", "exit 3")):
        (real / name).write_text(f"#!/bin/sh\n{does}\n")
        (real / name).chmod(0o755)
    return Tools(tmp_path / "bin", real, ("sacct", "sacctmgr"))


def test_each_call_is_told_once_with_what_it_was_asked(tools: Tools) -> None:
    began = time.monotonic()
    tools.run(("sacct", "--starttime=uts1", "a b"), ENVIRON)
    tools.run(("sacct",), ENVIRON)

    first, second = tools.told()
    assert first.tool == "sacct"
    assert first.argv[1:] == ("--starttime=uts1", "a b")
    assert second.argv[1:] == ()
    assert 0 < first.megabytes < 30
    assert first.seconds > 0
    assert began < first.ended <= second.ended - second.seconds < time.monotonic()


def test_a_tool_is_counted_and_answers_whether_called_by_its_name_or_its_place(
    tools: Tools,
) -> None:
    path = f"{tools.bin_path}:{ENVIRON['PATH']}"

    for called, shown in ((tools.bin_path / "sacct", ENVIRON), ("sacct", ENVIRON | {"PATH": path})):
        argv = ["/usr/bin/env", called]
        done = subprocess.run(argv, input="said", capture_output=True, text=True, env=shown)
        assert (done.returncode, done.stdout) == (0, "said")

    assert [call.tool for call in tools.told()] == ["sacct", "sacct"]


def test_a_tool_reads_what_is_said_to_it(tools: Tools, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    (tmp_path / "real" / "sacct").write_text(f"#!/bin/sh\ncat >{heard}\n")

    tools.run(("sacct",), ENVIRON, "a line\n")

    assert heard.read_text() == "a line\n"


def test_calls_before_are_forgotten(tools: Tools) -> None:
    tools.run(("sacct",), ENVIRON)
    tools.forget()

    assert tools.told() == []


def test_a_floor_is_not_made_of_commands_that_fail(tools: Tools) -> None:
    with pytest.raises(CommandFailed, match="exited 3"):
        tools.run(("sacctmgr", "show"), ENVIRON)


def test_a_replaying_tool_asks_once_and_tells_questions_apart_but_for_numbers(
    tmp_path: Path,
) -> None:
    real, asked = tmp_path / "real", tmp_path / "asked"
    real.mkdir()
    (real / "sacct").write_text(f'#!/bin/sh\necho "$*" | tee -a {asked}\n')
    (real / "sacct").chmod(0o755)
    tools = Tools(tmp_path / "bin", replaying_tools(tmp_path / "replaying", real), ("sacct",))

    for argv in (("sacct", "--start=1"), ("sacct", "--start=22"), ("sacct", "--end=1")):
        tools.run(argv, ENVIRON)

    assert asked.read_text().splitlines() == ["--start=1", "--end=1"]
