"""Trackable resources and amounts of them, in the unit that Slurm counts each in.

Amounts are integers: `mem` in MiB, `energy` in joules, everything else in pieces.
"""

import re
from collections.abc import Mapping
from typing import NewType

from waldur_slurm.errors import InvalidName

TresName = NewType("TresName", str)

Tres = Mapping[TresName, int]

_TRES = re.compile(
    r"(cpu|mem|node|energy|billing|vmem|pages"
    r"|(gres|license|fs|bb|ic|interconnect)/[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?)",
    re.ASCII,
)


def tres_name(text: str) -> TresName:
    """Accept `text` as a TRES such as `cpu` or `gres/gpu:a100`, or raise `InvalidName`."""
    if _TRES.fullmatch(text) is None:
        raise InvalidName(f"not a Slurm TRES: {text!r} (expected one such as cpu, mem or gres/gpu)")
    return TresName(text)
