"""The words recorded of this machine's release are the ones that its library prints."""

import subprocess
import sys
from pathlib import Path

from sandbox.slurm import Cluster
from tests.fixtures_slurm import skip_here
from tests.places import PROJECT

_ASK = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
names = ("slurm_job_state_reason_string", "slurm_job_reason_string")
say = next(getattr(library, name) for name in names if hasattr(library, name))
say.restype = ctypes.c_char_p
said = {say(number).decode() for number in range(400)}
print("\\n".join(sorted(word for word in said if not word.isdecimal())))
"""


def test_the_recorded_words_are_all_that_the_installed_slurm_prints(
    slurm_cluster: Cluster,
) -> None:
    release = slurm_cluster.must("sinfo", "--version").split()[-1]
    recorded = PROJECT / "tests" / "recorded" / "reasons" / f"{release}.txt"
    if not recorded.is_file():
        skip_here(f"no words are recorded of {release}")
    (library,) = Path("/usr/lib").glob("*/slurm-wlm/libslurmfull.so")
    said = subprocess.run(
        [sys.executable, "-c", _ASK, str(library)], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == sorted(recorded.read_text().split())
