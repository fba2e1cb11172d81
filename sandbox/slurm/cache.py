"""What is made once and used by every cluster, under the project's `.cache/`.

A name says all that the content depends on; a rename puts it in place, so that two makers never
see each other's half.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.slurm.errors import SandboxError

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "sandbox-slurm"


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached directory of that name; `make` fills it, once."""
    place = CACHE / name
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="making-", dir=CACHE))
        try:
            make(fresh)
            _put(fresh, place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return place


def _put(fresh: Path, place: Path) -> None:
    try:
        fresh.rename(place)
    except OSError:
        if not place.exists():  # somebody else was quicker: theirs is as good
            raise


def shim(name: str, target: Path) -> None:
    """Compile a C shim at first use and copy it to where every unix user can read it."""
    source = Path(__file__).parent / "shims" / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]

    def compile_it(place: Path) -> None:
        argv = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(place / f"{name}.so")]
        made = subprocess.run([*argv, str(source), "-ldl"], capture_output=True, text=True)
        if made.returncode:
            raise SandboxError(f"cc could not compile {source}:\n{made.stderr}")

    library = cached(f"{name}-{os.uname().machine}-{digest}", compile_it) / f"{name}.so"
    shutil.copyfile(library, target)
    target.chmod(0o755)
