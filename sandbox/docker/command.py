"""The `docker` command as a function. Nothing else in the sandbox starts it."""

import shutil
import subprocess
from collections.abc import Mapping
from types import MappingProxyType

LAST_WORDS = 2000
NOTHING: Mapping[str, str] = MappingProxyType({})


class DockerFailed(Exception):
    """The docker command said no, or there is none; the text is what it said."""


def docker(
    *argv: str,
    timeout: float = 60.0,
    check: bool = True,
    environ: Mapping[str, str] = NOTHING,
) -> subprocess.CompletedProcess[str]:
    """Return how it went; `environ` is added to the environment."""
    program = shutil.which("docker")
    if program is None:
        raise DockerFailed("there is no docker command: `make setup` installs it")
    try:
        done = subprocess.run(
            (
                "/usr/bin/env",
                *(f"{name}={value}" for name, value in environ.items()),
                program,
                *argv,
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as late:
        raise DockerFailed(f"docker {argv[0]} took longer than {timeout:g} s") from late
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-LAST_WORDS:]
        raise DockerFailed(f"docker {argv[0]} exited {done.returncode}: {said}")
    return done
