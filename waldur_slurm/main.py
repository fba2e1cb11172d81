"""The agent's door, `python3 -m waldur_slurm.main`, as units, env files and containers name it."""

import sys

from waldur_slurm.agent.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
