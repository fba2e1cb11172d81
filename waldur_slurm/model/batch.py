"""A batch job as it is submitted, and the number that it is known by.

A job's number may name a part: `123_4` one task of an array, `123_[1-9%2]` those that still wait,
`123+0` one component of a heterogeneous job. Numbers come again when a site starts them anew, so
a number alone is not yet an identity; number and time of submission are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.names import quoted

MOST_TASKS = 4_000_001
"""Slurm's own bound of an array."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task of an array."""

    number: int

    def __str__(self) -> str:
        return f"_{self.number}"


@dataclass(frozen=True, slots=True)
class Span:
    """Tasks from `first` to `last`, every `step`th."""

    first: int
    last: int
    step: int = 1

    def __str__(self) -> str:
        if self.first == self.last:
            return f"{self.first}"
        return f"{self.first}-{self.last}" + (f":{self.step}" if self.step > 1 else "")

    @property
    def numbers(self) -> range:
        return range(self.first, self.last + 1, self.step)


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of an array that wait together; of all of them `at_once` may run at a time."""

    spans: tuple[Span, ...]
    at_once: int | None = None

    def __str__(self) -> str:
        throttle = "" if self.at_once is None else f"%{self.at_once}"
        return f"_[{','.join(map(str, self.spans))}{throttle}]"

    @property
    def count(self) -> int:
        return sum(len(span.numbers) for span in self.spans)

    @property
    def numbers(self) -> Iterator[int]:
        return (number for span in self.spans for number in span.numbers)

    def holds(self, task: int) -> bool:
        return any(task in span.numbers for span in self.spans)


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a heterogeneous job."""

    offset: int

    def __str__(self) -> str:
        return f"+{self.offset}"


@dataclass(frozen=True, slots=True)
class JobId:
    """What Slurm calls a job, whole or a part of it; `str` writes it as Slurm does."""

    number: int
    part: Task | Tasks | Component | None = None

    def __str__(self) -> str:
        return f"{self.number}" if self.part is None else f"{self.number}{self.part}"

    @property
    def whole(self) -> "JobId":
        """The array, or the heterogeneous job, that it is a part of; else itself."""
        return JobId(self.number)

    @property
    def tasks(self) -> frozenset[int]:
        """The numbers of the tasks of an array that it names; none where it names no task."""
        match self.part:
            case Task(number):
                return frozenset({number})
            case Tasks() as tasks:
                return frozenset(tasks.numbers)
            case _:
                return frozenset()

    @property
    def named(self) -> str:
        """As Slurm's commands take it: they do not want to hear how many run at once."""
        if isinstance(self.part, Tasks):
            return f"{self.number}{Tasks(self.part.spans)}"
        return str(self)


def job_id(text: str) -> JobId:
    """Read what Slurm calls a job, or raise `InvalidName`; `str` gives the same text back."""
    found = _JOB.fullmatch(text)
    if found is None or int(found["number"]) > _MOST_NUMBER:
        raise InvalidName(f"not the number of a job: {quoted(text)} (expected 12, 12_3 or 12+0)")
    number = int(found["number"])
    if found["task"]:
        return JobId(number, Task(int(found["task"])))
    if found["component"]:
        return JobId(number, Component(int(found["component"])))
    if found["tasks"]:
        return JobId(number, _tasks(found["tasks"], found["at_once"]))
    return JobId(number)


def _tasks(text: str, at_once: str | None) -> Tasks:
    tasks = Tasks(tuple(map(_span, text.split(","))), None if at_once is None else int(at_once))
    if tasks.count > MOST_TASKS:
        raise InvalidName(f"an array has at most {MOST_TASKS} tasks, not {tasks.count}")
    return tasks


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidName(f"not tasks of an array: {quoted(text)}")
    span = Span(int(found[1]), int(found[2] or found[1]), int(found[3] or 1))
    if not span.numbers or str(span) != text:
        raise InvalidName(f"not tasks of an array as Slurm writes them: {quoted(text)}")
    return span


@dataclass(frozen=True, slots=True)
class VariablesFile:
    """A file where the job runs from, `NAME=value` with a zero byte after each variable."""

    path: str


Variables = Mapping[str, str] | VariablesFile
"""All that a job has in its environment beside what Slurm itself puts there."""


@dataclass(frozen=True, slots=True)
class BatchSheet:
    """What sbatch is given: the script, and options by their long names, None for a flag.

    Which options and values there are is the table `waldur_slurm.hand.options.SBATCH`. Without
    `variables` a job has those of the login that submits it.
    """

    script: str
    options: Mapping[str, str | None] = field(default_factory=dict)
    variables: Variables | None = None


class Refusal(Enum):
    """Why Slurm did not do something; the words are in `Refused`."""

    PARTITION = "no-such-partition"
    NOT_AVAILABLE = "partition-not-available"
    NOT_ALLOWED = "not-allowed"
    ACCOUNT = "account"
    QOS = "qos"
    LIMIT = "over-a-limit"
    TIME = "bad-time"
    DEPENDENCY = "bad-dependency"
    RESOURCES = "resources-not-available"
    OPTION = "invalid-option"
    SCRIPT = "bad-script"
    CLUSTER = "no-such-cluster"
    JOB = "no-such-job"
    STATE = "not-in-this-state"
    BUSY = "busy-try-later"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Refused:
    """The kind of a refusal, Slurm's own words, and the limit that was met where it is named."""

    refusal: Refusal
    words: str
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The number that Slurm gave a job, and the cluster where one was asked for by name."""

    id: JobId
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """When and where a job would start if it were submitted now, as Slurm's scheduler guesses."""

    starts: datetime
    processors: int
    nodes: str
    partition: str


class Cancelled(Enum):
    """How asking for a job's end, or for a signal to it, turned out where Slurm did not refuse."""

    SENT = auto()
    """Slurm took it; a running job takes a moment to end."""
    OVER = auto()
    """It has ended, or is about to."""
    ABSENT = auto()
    """slurmctld knows no such job, or no longer."""
    SPARED = auto()
    """It was not in the state that was asked for."""


class Verb(Enum):
    """What `scontrol` does with a job; before 26.05 only an operator suspends and resumes."""

    HOLD = "hold"
    HOLD_AS_USER = "uhold"
    RELEASE = "release"
    REQUEUE = "requeue"
    REQUEUE_HELD = "requeuehold"
    SUSPEND = "suspend"
    RESUME = "resume"
    TOP = "top"


class GuardedState(Enum):
    """A state that a job has to be in to be cancelled."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"


_MOST_NUMBER = 2**32 - 1
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_SPAN = re.compile(rf"({_NUMBER})(?:-({_NUMBER})(?::([1-9][0-9]{{0,8}}))?)?", re.ASCII)
_JOB = re.compile(
    r"(?P<number>[1-9][0-9]{0,9})"
    rf"(?:_(?P<task>{_NUMBER})|\+(?P<component>{_NUMBER})"
    rf"|_\[(?P<tasks>[0-9,:-]+)(?:%(?P<at_once>{_NUMBER}))?\])?",
    re.ASCII,
)
