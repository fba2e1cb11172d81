"""Ends that Slurm comes to by what its own programs report, reported by its own library.

A step that the kernel killed for want of memory, and a node that did not boot as a job wanted it,
need cgroups and hardware. What slurmctld is told then is told here, and it makes the end.
"""

import sys
from pathlib import Path

from sandbox.slurm import Cluster
from waldur_slurm.model.batch import JobId

OUT_OF_MEMORY = 253
"""What stands for a job's exit code where memory ran out: signal 125, with a core."""
BOOT_FAILED = 0x20000
"""The flag of a requeue whose node did not boot as wanted."""

_CALL = """import ctypes, sys
library = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
library.slurm_init(None)
getattr(library, sys.argv[2])(int(sys.argv[3]), int(sys.argv[4]))
"""


def report_out_of_memory(lab: Cluster, job: JobId) -> None:
    """Report the job's end as srun and salloc do."""
    _report(lab, "slurm_complete_job", job, OUT_OF_MEMORY)


def report_failed_boot(lab: Cluster, job: JobId) -> None:
    """Give the job back; one that may not be requeued is ended instead."""
    _report(lab, "slurm_requeue", job, BOOT_FAILED)


def _report(lab: Cluster, call: str, job: JobId, what: int) -> None:
    """Whether it was taken, the job's state says."""
    (library,) = Path("/usr/lib").glob("*/slurm-wlm/libslurmfull.so")
    lab.must(sys.executable, "-c", _CALL, str(library), call, str(job.number), str(what))
