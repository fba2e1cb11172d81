"""`make demo` as a newcomer types it: a whole round, on a site of its own."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale

PROJECT = Path(__file__).parents[1]
A_MINUTE = 60.0


def measure_demo(_scale: Scale) -> Iterator[Row]:
    say("demo: one round")
    began = time.monotonic()
    make = shutil.which("make") or "make"
    subprocess.run(
        [make, "--silent", "demo"], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL, timeout=300
    )
    took = time.monotonic() - began
    yield Row(name="make demo: a whole round", unit="s", samples=[took], bound=A_MINUTE)
