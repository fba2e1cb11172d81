"""The archives as a site gets them, built once and installed once."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.places import PROJECT

_BUILD = """
import os, sys
from setuptools import build_meta
os.chdir(sys.argv[1])
print(getattr(build_meta, sys.argv[3])(sys.argv[2]))
"""


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
    place = tmp_path_factory.mktemp("build")
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
    succeed(place / "builder/bin/pip", "install", "--quiet", "setuptools>=77")
    python = place / "builder/bin/python"
    made = [
        archives / succeed(python, "-c", _BUILD, tree, archives, hook).splitlines()[-1]
        for hook in ("build_sdist", "build_wheel")
    ]
    return Built(sdist=made[0], wheel=made[1])


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel and what it asks for."""
    place = tmp_path_factory.mktemp("site") / "venv"
    succeed(sys.executable, "-m", "venv", place)
    succeed(place / "bin/pip", "install", "--quiet", built.wheel)
    return place / "bin"


@pytest.fixture(scope="session")
def wheels(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and all that it needs, for a machine that reaches no package index."""
    place = tmp_path_factory.mktemp("wheels")
    succeed(sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", place, built.wheel)
    return place


@pytest.fixture(scope="session")
def gateway_wheels(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with what the gateway needs."""
    place = tmp_path_factory.mktemp("gateway-wheels")
    asked = f"{built.wheel}[gateway]"
    succeed(sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", place, asked)
    return place
