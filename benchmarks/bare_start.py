"""The least that a start can cost: a bare interpreter, the same libraries, one request."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.proc import own_cpu_seconds

LIBRARIES = ("msgspec", "requests", "tenacity", "waldur_client", "yaml")
PROGRAM = f"""
import {", ".join(LIBRARIES)}
import sys, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=20)
except OSError:
    pass
sys.stdin.read()
"""


class BareStart:
    """A process that asks one address and then waits, until it is let go."""

    def __init__(self, address: str) -> None:
        argv = [sys.executable, "-c", PROGRAM, address]
        environ = {"PATH": os.defpath}
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, env=environ, cwd=Path("/"))

    def __enter__(self) -> "BareStart":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def cpu_seconds(self) -> float:
        return own_cpu_seconds(self._process.pid)
