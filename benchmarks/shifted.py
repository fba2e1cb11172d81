"""`python3 -m benchmarks.shifted SECONDS [ARGUMENT...]`: the real program, its clock that much off.

Only what the program takes for the time of day is moved. Moving a whole process's clock from
outside makes each wait of a thread several times as dear, and so would be seen in the figures.
"""

import sys
from datetime import UTC, datetime, timedelta

from waldur_slurm.agent import composition
from waldur_slurm.main import main


def run(seconds: float, arguments: list[str]) -> int:
    offset = timedelta(seconds=seconds)
    composition.now = lambda: datetime.now(UTC) + offset
    return main(arguments)


if __name__ == "__main__":
    sys.exit(run(float(sys.argv[1]), sys.argv[2:]))
