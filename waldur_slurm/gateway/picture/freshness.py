"""When a picture still serves, and when it is taken anew. Pure: a function of times.

A picture serves for the age that its thing allows, and for ten times what it cost: however many
ask, Slurm spends no more than a tenth of its time on them. Only what was changed from here is
looked at again at once. A Slurm that does not answer leaves the last picture standing for a minute;
then nobody is shown it any more. One that neither answers nor refuses is silent too, once it has
been waited for long enough: only the reading waits on.
"""

from dataclasses import dataclass
from enum import Enum, auto
from math import inf

MOST_OF_ITS_TIME = 0.1
"""The share of its time that Slurm may spend on answering one kind of question."""

A_LITTLE_OLDER = 0.5
"""By so much of its life may a picture be older while a new one is taken beside."""

PATIENCE_S = 10.0
"""How long anybody waits for a reading under way, or twice what the last one took."""

SILENCE_BORNE_S = 60.0
"""How long the last picture is shown of a Slurm that does not answer."""

LONGEST_REST_S = 10.0
"""How long it is then left alone: what serves for minutes must not be missing for minutes."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What is known of the readings so far; the times are of one monotonic clock."""

    began: float | None = None
    """When the last reading that went well began."""
    ended: float | None = None
    """When the last one ended, well or not."""
    took_s: float = 0.0
    failing_since: float | None = None
    flying_since: float | None = None
    """When the reading under way began."""
    is_outdated: bool = False
    """Something was changed since: the picture serves only while Slurm is silent."""


class Answer(Enum):
    """What whoever asks is given."""

    SHOW = auto()
    WAIT = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    answer: Answer
    is_renewal_due: bool
    again_after_s: float = 0.0
    """Of a refusal: when it may be worth asking again."""


def life_s(ttl_s: float, took_s: float) -> float:
    """How long a picture serves."""
    return max(ttl_s, took_s / MOST_OF_ITS_TIME)


def judge(now: float, ttl_s: float, known: Readings, asked: float = inf) -> Verdict:
    """A picture begun after one `asked` serves him, whatever is changed meanwhile or late."""
    life = life_s(ttl_s, known.took_s)
    if known.failing_since is not None:
        return _judge_silence(now, life, known, known.failing_since)
    if is_past_patience(now, known):
        return _judge_silence(now, life, known, known.flying_since or now)
    if known.began is not None and known.began > asked:
        return Verdict(Answer.SHOW, is_renewal_due=False)
    if known.began is None or known.is_outdated:
        return Verdict(Answer.WAIT, is_renewal_due=True)
    age = now - known.began
    if age <= life:
        return Verdict(Answer.SHOW, is_renewal_due=False)
    is_close = age <= life * (1 + A_LITTLE_OLDER)
    return Verdict(Answer.SHOW if is_close else Answer.WAIT, is_renewal_due=True)


def is_past_patience(now: float, known: Readings) -> bool:
    """Whether the reading under way has been waited for long enough."""
    return known.flying_since is not None and now - known.flying_since > patience_s(known.took_s)


def patience_s(took_s: float) -> float:
    return max(PATIENCE_S, 2 * took_s)


def _judge_silence(now: float, life: float, known: Readings, since: float) -> Verdict:
    """Nobody waits for a Slurm that was silent the last time; one asks it beside, in peace.

    However long the silence lasts, the next try is a rest away: no try makes the next one later.
    """
    rest = min(life, LONGEST_REST_S)
    next_try = rest if known.ended is None else known.ended + rest - now
    is_due = next_try <= 0
    if known.began is not None and now - since <= SILENCE_BORNE_S:
        return Verdict(Answer.SHOW, is_renewal_due=is_due)
    return Verdict(Answer.REFUSE, is_renewal_due=is_due, again_after_s=max(next_try, 1.0))
