"""`python3 -m benchmarks.read_queue RUNS`: reads the queue of the cluster named by the environment.

Two readings are held at once, as a service holds the last one while it makes the next.
"""

import json
import os
import sys
import time

from benchmarks.proc import peak_megabytes
from waldur_slurm.model.live import JobListing
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.slurm.live.client import ClusterClient


def main() -> None:
    environ = dict(os.environ)  # noqa: TID251 - made by the benchmark
    client = ClusterClient(NativeTransport(environ, extra=environ))
    walls, own = [], []
    held: JobListing | None = None
    for _ in range(int(sys.argv[1])):
        began, cpu = time.monotonic(), time.process_time()
        held = client.read_jobs()
        walls.append(time.monotonic() - began)
        own.append(time.process_time() - cpu)
    jobs = len(held.jobs) if held else 0
    told = {"jobs": jobs, "walls": walls, "own": own, "peak": peak_megabytes(os.getpid())}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
