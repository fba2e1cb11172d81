"""What fails again and again is left alone for growing pauses, and delays nobody else. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from waldur_slurm.agent.pull.vocabulary.failures import Failure
from waldur_slurm.agent.pull.vocabulary.steps import subject_of
from waldur_slurm.model.counting import counted
from waldur_slurm.model.period import moment_of

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Rest:
    """How often something failed, until when it rests, and what was said last."""

    failures: int
    until: datetime
    why: str

    def to_document(self) -> dict[str, Any]:
        return {"failures": self.failures, "until": self.until.isoformat(), "why": self.why}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        until = moment_of(document["until"])
        return cls(int(document["failures"]), until, str(document["why"]))


Entries = Mapping[str, Rest]


def resting(entries: Entries, now: datetime) -> dict[str, str]:
    """What is left alone now, each with the words for it."""
    return {
        subject: f"failed {counted(rest.failures, 'time')},"
        f" next try after {rest.until.isoformat()}: {rest.why}"
        for subject, rest in entries.items()
        if now < rest.until <= now + _LONGEST_PAUSE
    }


def after_cycle(
    entries: Entries, failures: Iterable[Failure], now: datetime, *, is_whole: bool
) -> dict[str, Rest]:
    """Lengthen the pause of what failed, keep what rests, forget what went well.

    A cycle that is not whole shows of nothing that it went well.
    """
    kept = {
        subject: entries[subject] for subject in (resting(entries, now) if is_whole else entries)
    }
    for failure in failures:
        if failure.error.transient:
            continue
        subject = subject_of(failure.step)
        count = entries[subject].failures + 1 if subject in entries else 1
        pause = min(_FIRST_PAUSE * 2 ** min(count - 1, 20), _LONGEST_PAUSE)
        until = (now + pause).replace(microsecond=0)
        kept[subject] = Rest(count, until, str(failure.error)[:300])
    return kept
