"""The programs of a Kubernetes, built once on a machine from Debian's source package."""

import subprocess
from functools import cache
from pathlib import Path

from sandbox.slurm.errors import SandboxError

BUILD = Path(__file__).with_name("build.sh")
LONGEST_BUILD_S = 7200.0


@cache
def programs() -> Path:
    """Return where they lie; building them takes minutes, and is done by the first who asks."""
    built = subprocess.run(
        [str(BUILD)], stdout=subprocess.PIPE, text=True, timeout=LONGEST_BUILD_S, check=False
    )
    if built.returncode:
        raise SandboxError(f"{BUILD} exited {built.returncode}; what it said stands above")
    return Path(built.stdout.strip())
