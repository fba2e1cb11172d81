"""`python3 -m benchmarks.read_queue RUNS`: reads the queue of the cluster named by the environment.

The bare squeue and our reading take turns. Two readings are held at once, as a service holds the
last one while it makes the next.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping

from benchmarks.proc import peak_megabytes
from waldur_slurm.model.live import JobListing
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.slurm.grammar.commands import ENVIRONMENT
from waldur_slurm.slurm.grammar.marks import mark_of
from waldur_slurm.slurm.live.client import ClusterClient, fresh_nonce
from waldur_slurm.slurm.live.grammar.commands import jobs_format, show_jobs


def main() -> None:
    environ = dict(os.environ)  # noqa: TID251 - made by the benchmark
    client = ClusterClient(NativeTransport(environ, extra=environ))
    bare, walls, own = [], [], []
    held: JobListing | None = None
    for _ in range(int(sys.argv[1])):
        bare.append(seconds_of_squeue(environ))
        began, cpu = time.monotonic(), time.process_time()
        held = client.read_jobs()
        walls.append(time.monotonic() - began)
        own.append(time.process_time() - cpu)
    jobs = len(held.jobs) if held else 0
    told = {
        "jobs": jobs,
        "bare": bare,
        "walls": walls,
        "own": own,
        "peak": peak_megabytes(os.getpid()),
    }
    sys.stdout.write(json.dumps(told))


def seconds_of_squeue(environ: Mapping[str, str]) -> float:
    """Print the same columns, and throw them away."""
    asked = {**environ, **ENVIRONMENT, **jobs_format(mark_of(fresh_nonce()))}
    began = time.monotonic()
    subprocess.run(show_jobs(None), env=asked, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
