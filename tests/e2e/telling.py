"""Tells what a process was started with: `telling all`; or waits for a signal: `telling waits`."""

import json
import os
import signal
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    if sys.argv[1] == "waits":
        signal.pause()
    told = {
        "argv": sys.argv[1:],
        "environ": dict(os.environ),  # noqa: TID251 - it is what is told
        "zone": time.tzname,
        "directory": str(Path.cwd()),
        "ids": (os.getresuid(), os.getresgid(), os.getgroups()),
        "descriptors": sorted(each.name for each in Path("/proc/self/fd").iterdir()),
        "input": str(Path("/proc/self/fd/0").readlink()),
        "signals": [str(signal.getsignal(each)) for each in sorted(signal.valid_signals())],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "name": __name__,
    }
    sys.stdout.write(json.dumps(told))
    sys.stderr.write("to its error output")
    sys.exit(7)
