"""How much a trust test tries, and how much was tried in all.

Every test of trust has two sizes: a short one for each change, and what one hour of `make
campaign` affords. `count` tells what was tried; the sums of all workers end the test run's output.
"""

import os
from collections import Counter
from datetime import timedelta

from sandbox.slurm import ClusterOptions

_ENVIRON = os.environ  # noqa: TID251 - the size of a test run is told by who starts it
_HOUR_MIN = 60

IS_CAMPAIGN = _ENVIRON.get("TRUST_CAMPAIGN") == "1"
MINUTES = int(_ENVIRON.get("TRUST_CAMPAIGN_MINUTES", _HOUR_MIN))
SEED = int(_ENVIRON.get("TRUST_CAMPAIGN_SEED", 0))
"""Where every random choice starts; the short form always starts at the same place."""

CLUSTER = ClusterOptions(nodes=1, lifetime=timedelta(minutes=max(MINUTES, _HOUR_MIN) * 3))
"""A cluster for the tests of one module; a busy machine takes longer for them than it was given."""

tried: Counter[str] = Counter()
"""What this process has tried, by kind."""


def size(short: int, long: int) -> int:
    """Return how many to try: `long` is for a campaign of an hour."""
    if not IS_CAMPAIGN:
        return short
    return max(short, long * MINUTES // _HOUR_MIN)


def count(kind: str, n: int = 1) -> None:
    """Tell that `n` more of a kind were tried, such as `count("fault of Waldur: 502")`."""
    tried[kind] += n
