"""The command `slurm-gateway`, as it is installed: it says so where the gateway's extra is not.

Nothing is imported before it is known that it can be.
"""

import sys

INSTALL = "pip install 'waldur-slurm-agent[gateway]'"
FAILED = 1


def main() -> int:
    try:
        from waldur_slurm.gateway.main import main as run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "waldur_slurm":
            raise
        sys.stderr.write(f"slurm-gateway: {error.name} is not installed; {INSTALL}\n")
        return FAILED
    return run()
