"""Run one cycle of an agent in its own Python, and say what it cost. Standard library only.

Rule: the agent is not changed. A nap of a minute or longer is taken for the end of its cycle; the
shorter ones are its own time. What comes before the cycle, the import, is told apart.
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import SupportsIndex

END_OF_CYCLE_S = 60.0


def main(report: str, entry: str, *arguments: str) -> None:
    """Call the `module:function` of `entry` as its console script would."""
    nap = time.sleep

    def sleep(seconds: SupportsIndex | float) -> None:
        if float(seconds) >= END_OF_CYCLE_S:
            raise SystemExit(0)
        nap(seconds)

    time.sleep = sleep
    module, _, function = entry.partition(":")
    sys.argv = [function, *arguments]
    began = time.monotonic()
    run = getattr(importlib.import_module(module), function)
    imported = time.monotonic()
    own, clients = _cpu(resource.RUSAGE_SELF), _cpu(resource.RUSAGE_CHILDREN)
    failed = _fails(run)
    figures = {
        "failed": failed,
        "start_seconds": imported - began,
        "seconds": time.monotonic() - imported,
        "cpu_seconds": _cpu(resource.RUSAGE_SELF) - own,
        "client_cpu_seconds": _cpu(resource.RUSAGE_CHILDREN) - clients,
        "megabytes": _peak_megabytes(),
    }
    Path(report).write_text(json.dumps(figures))


def _fails(run: Callable[[], object]) -> bool:
    try:
        code = run()
    except SystemExit as end:
        code = end.code
    return bool(code)


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _peak_megabytes() -> float:
    """Of this program alone: getrusage would count who started it as well."""
    (line,) = (
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    )
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
