"""The archives as a site gets them, built once and installed once."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.wheels import ensure_wheels
from tests.places import PROJECT
from tests.sharing import made_once

_BUILD = """
import os, sys
from setuptools import build_meta
os.chdir(sys.argv[1])
getattr(build_meta, sys.argv[3])(sys.argv[2])
"""

INSTALL = ("install", "--quiet", "--no-index")


def run(
    *argv: str | Path, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(part) for part in argv],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        env=environ,
    )


def succeed(*argv: str | Path, cwd: Path | None = None) -> str:
    done = run(*argv, cwd=cwd)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both archives, built from what git knows by the build system that pyproject.toml names."""
    archives = made_once(tmp_path_factory, "build", _build) / "dist"
    (wheel,), (sdist,) = archives.glob("*.whl"), archives.glob("*.tar.gz")
    return Built(wheel, sdist)


def _build(place: Path) -> None:
    tree, archives = place / "tree", place / "dist"
    tree.mkdir()
    archives.mkdir()
    files = succeed(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=PROJECT
    )
    for name in filter(None, files.split("\0")):
        if (PROJECT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((PROJECT / name).read_bytes())
    succeed(sys.executable, "-m", "venv", place / "builder")
    succeed(
        place / "builder/bin/pip", *INSTALL, "setuptools>=77", f"--find-links={ensure_wheels()}"
    )
    for hook in ("build_sdist", "build_wheel"):
        succeed(place / "builder/bin/python", "-c", _BUILD, tree, archives, hook)


@pytest.fixture(scope="session")
def installed(built: Built, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel and what it asks for."""

    def install(place: Path) -> None:
        succeed(sys.executable, "-m", "venv", place / "venv")
        succeed(place / "venv/bin/pip", *INSTALL, built.wheel, f"--find-links={wheels}")

    return made_once(tmp_path_factory, "site", install) / "venv/bin"


@pytest.fixture(scope="session")
def wheels(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel with all that its gateway needs, for a machine that reaches no package index."""

    def collect(place: Path) -> None:
        for wheel in ensure_wheels().iterdir():
            if wheel.name != built.wheel.name:
                shutil.copy(wheel, place)
        shutil.copy(built.wheel, place)

    return made_once(tmp_path_factory, "wheels", collect)
