"""The package as a wheel, and all that it needs, as a package index would have them.

Rule: they are made once for one state of the sources, whoever asks and how many do so at a time.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.docker.command import DockerFailed
from sandbox.docker.images import BUILD_S, digest_of
from sandbox.slurm.keeping import locked

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "wheels"
OF_THE_BUILD = ("LICENSE", "README.md", "pyproject.toml", "setup.cfg")
FORGOTTEN_S = 24 * 3600.0
"""Those of older sources go when they are as old as that: another test run may use them still."""


def sources() -> list[Path]:
    """Return the files that make the package."""
    found = [path for path in (ROOT / "waldur_slurm").rglob("*") if path.is_file()]
    return sorted((*(ROOT / name for name in OF_THE_BUILD), *found))


def ensure_wheels() -> Path:
    """Return where the wheels are: the package's, with what its gateway needs, and setuptools."""
    files = [path for path in sources() if path.suffix != ".pyc"]
    place = CACHE / digest_of(files, ROOT)
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / "lock", BUILD_S):
        if not place.is_dir():
            _forget_old_ones()
            with tempfile.TemporaryDirectory(prefix="waldur-slurm-wheels-") as tree:
                _copy(files, Path(tree))
                _make(Path(tree)).rename(place)
        place.touch()
    return place


def bring_wheels(context: Path) -> None:
    """Put them where the Dockerfile looks for them when no index is reached."""
    shutil.copytree(ensure_wheels(), context / "dist")


def _make(tree: Path) -> Path:
    made = Path(tempfile.mkdtemp(dir=CACHE))
    made.chmod(0o755)
    argv = (sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(made))
    done = subprocess.run(
        (*argv, f"{tree}[gateway]", "setuptools>=77"),
        capture_output=True,
        text=True,
        timeout=BUILD_S,
    )
    if done.returncode:
        shutil.rmtree(made)
        raise DockerFailed(f"pip wheel exited {done.returncode}: {done.stderr[-2000:]}")
    return made


def _copy(files: list[Path], tree: Path) -> None:
    for file in files:
        copy = tree / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)


def _forget_old_ones() -> None:
    for old in CACHE.iterdir():
        if old.is_dir() and time.time() - old.stat().st_mtime > FORGOTTEN_S:
            shutil.rmtree(old)
