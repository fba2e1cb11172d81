"""The agent's image, built from this tree when what goes into it changed.

Rule: where no registry can be reached, a build has no package index either; the packages then
come from this machine.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.docker.command import DockerFailed, docker
from sandbox.docker.engine import ROOT
from sandbox.docker.images import BUILD_S, LABEL, Release, base_of, digest_of, recipe_of
from sandbox.docker.packages import proxies

TAG = "waldur-slurm-agent:sandbox"
SOURCES = (
    *("Dockerfile", ".dockerignore", "docker-entrypoint"),
    *("LICENSE", "README.md", "pyproject.toml", "setup.cfg"),
)


@dataclass(frozen=True)
class PythonRelease(Release):
    """A base with Python; the one that is made here is the same Debian as Slurm's."""

    @property
    def public_base(self) -> str:
        return "python:3.11-slim"


BASE = PythonRelease("22.05", "bookworm")


def ensure_agent_image() -> str:
    """Return its name."""
    files = _files()
    recipe = digest_of(files, ROOT)
    if recipe_of(TAG) != recipe:
        sys.stderr.write(f"building {TAG}; this takes about half a minute\n")
        with tempfile.TemporaryDirectory(prefix="waldur-slurm-agent-") as place:
            for file in files:
                copy = Path(place) / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
            _build(Path(place), recipe)
    return TAG


def _files() -> list[Path]:
    found = [ROOT / name for name in SOURCES if (ROOT / name).exists()]
    found += (ROOT / "waldur_slurm").rglob("*.py")
    found.append(ROOT / "waldur_slurm" / "py.typed")
    return sorted(found)


def _build(context: Path, recipe: str) -> None:
    base = base_of(BASE)
    argv = [f"--tag={TAG}", f"--label={LABEL}={recipe}", f"--build-arg=BASE={base}"]
    if base == BASE.local_base:
        _bring_packages(context)
        argv.append("--build-arg=PIP_NO_INDEX=1")
    docker(
        *("build", "--build-arg=http_proxy", "--build-arg=https_proxy", *argv, str(context)),
        timeout=BUILD_S,
        environ={**proxies(), "DOCKER_BUILDKIT": "0"},
    )


def _bring_packages(context: Path) -> None:
    pip = (sys.executable, "-m", "pip")
    argv = (*pip, "wheel", "--quiet", "--wheel-dir=dist", ".", "setuptools>=77")
    made = subprocess.run(argv, cwd=context, capture_output=True, text=True, timeout=BUILD_S)
    if made.returncode:
        raise DockerFailed(f"pip wheel exited {made.returncode}: {made.stderr[-2000:]}")
    shutil.rmtree(context / "build", ignore_errors=True)
