"""Runs dockerd for as long as its lease is renewed: `python3 -m sandbox.docker.keeper STATE LOG`.

Rule: dockerd ends with its keeper, also when that is killed.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from sandbox.docker.engine import LEASE, SOCKET

GRACE_S = 60.0


def keep(state: Path, log: Path) -> int:
    lease, record = state / "lease", state / "keeper.pid"
    argv = ("setpriv", "--pdeathsig", "TERM", "dockerd", "--host", f"unix://{SOCKET}")
    with log.open("ab") as output:
        engine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def end(_number: int, _frame: FrameType | None) -> None:
        engine.terminate()

    signal.signal(signal.SIGTERM, end)
    record.write_text(f"{Path('/proc/self').resolve().name}\n")
    while engine.poll() is None and _is_leased(lease):
        time.sleep(2)
    engine.terminate()
    try:
        return engine.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        engine.kill()
        return engine.wait()
    finally:
        record.unlink(missing_ok=True)


def _is_leased(lease: Path) -> bool:
    return lease.exists() and time.time() - lease.stat().st_mtime < LEASE.total_seconds()


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), Path(sys.argv[2])))
