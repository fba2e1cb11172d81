"""What was taken away within the last day, by kind: it counts against what is allowed. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from waldur_slurm.model.period import moment_of

REMEMBERED_FOR = timedelta(hours=24)
"""How long what was taken away counts against what is allowed."""


class BrakeKind(StrEnum):
    PEOPLE = "people"
    ACCOUNTS = "accounts"
    HOLDS = "holds"
    LIMITS = "limits"
    TERMINATIONS = "terminations"


Taken = Mapping[BrakeKind, Mapping[str, datetime]]
"""Names of what was taken away, each with the moment."""


def still_counting(taken: Taken, now: datetime) -> dict[BrakeKind, dict[str, datetime]]:
    """What counts now; a moment far in the future was told by a clock that was wrong."""
    fresh = {
        kind: {name: at for name, at in names.items() if abs(now - at) < REMEMBERED_FOR}
        for kind, names in taken.items()
    }
    return {kind: names for kind, names in fresh.items() if names}


def taken_to_document(taken: Taken) -> dict[str, dict[str, str]]:
    return {
        kind: {name: at.isoformat() for name, at in names.items()} for kind, names in taken.items()
    }


def taken_from_document(document: Mapping[str, Mapping[str, str]]) -> Taken:
    return {
        BrakeKind(kind): {name: moment_of(at) for name, at in names.items()}
        for kind, names in document.items()
    }
