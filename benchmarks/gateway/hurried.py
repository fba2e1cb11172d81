"""`python3 -m benchmarks.gateway.hurried`: the real gateway, whose pictures serve for no time.

So each question has Slurm asked again. SIGUSR1 begins a watch over its loop, SIGUSR2 ends it, and
writes into `BENCH_STALLS` by how many seconds the loop came too late, each of a thousand times a
second.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from waldur_slurm.gateway.main import main
from waldur_slurm.gateway.picture import freshness
from waldur_slurm.gateway.web import server
from waldur_slurm.service.notify import Notifier

BEAT_S = 0.001
_live = server._live


async def _live_watched(notifier: Notifier) -> None:
    loop = asyncio.get_running_loop()
    late: list[float] = []
    loop.add_signal_handler(signal.SIGUSR1, late.clear)
    loop.add_signal_handler(signal.SIGUSR2, lambda: _write(late))
    signs = asyncio.ensure_future(_live(notifier))
    try:
        while True:
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            late.append(loop.time() - due)
    finally:
        signs.cancel()


def _no_time(ttl_s: float, took_s: float) -> float:
    """Take the place of what says how long a picture serves."""
    return 0.0 * (ttl_s + took_s)


def _write(late: list[float]) -> None:
    place = Path(os.environ["BENCH_STALLS"])  # noqa: TID251 - made by the benchmark
    fresh = place.with_suffix(".new")
    fresh.write_text(json.dumps(late))
    fresh.rename(place)


if __name__ == "__main__":
    freshness.life_s = _no_time
    server._live = _live_watched
    sys.exit(main())
