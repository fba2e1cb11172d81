"""The one file that root installs runs alone, and starts with little."""

import subprocess
import sys
from pathlib import Path

from waldur_slurm.hand.pack import packed

SLOW = ("dataclasses", "inspect", "subprocess", "socket", "zipfile", "pathlib", "ctypes", "logging")
"""Modules that would each take an act longer than most of the hand does."""


def run(file: Path, *argv: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    argv = (sys.executable, "-IS", *python, str(file), *argv)
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def written(tmp_path: Path) -> Path:
    file = tmp_path / "hand"
    file.write_bytes(packed("/nowhere/hand.conf", "/usr/bin/python3"))
    return file


def test_the_same_tree_makes_the_same_file() -> None:
    assert packed("/etc/hand.conf", "/usr/bin/python3") == packed(
        "/etc/hand.conf", "/usr/bin/python3"
    )


def test_it_is_run_isolated_by_the_interpreter_that_root_names(tmp_path: Path) -> None:
    assert written(tmp_path).read_bytes().startswith(b"#!/usr/bin/python3 -IS\n")


def test_it_needs_nothing_of_the_project_beside_it(tmp_path: Path) -> None:
    done = run(written(tmp_path), "what", "is", "this")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: hand")


def test_who_says_nothing_is_told_nothing(tmp_path: Path) -> None:
    done = run(written(tmp_path))

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_it_imports_what_it_needs_and_little_more(tmp_path: Path) -> None:
    done = run(written(tmp_path), python=("-X", "importtime"))

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {*SLOW}
    assert "waldur_slurm.hand.acts" in imported
