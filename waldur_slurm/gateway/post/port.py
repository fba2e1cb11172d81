"""What the post needs: somebody who sends a letter, and a place where letters are kept. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.post.letter import Letter, Stage
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Delivered:
    """The sink has taken it: from here on it is the sink's."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: nobody knows that it was taken. `after_s` is what the sink itself asks for."""

    why: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Never:
    """It would be refused each time, however often it is sent."""

    why: str


Outcome: TypeAlias = Delivered | Later | Never


class Sender(Protocol):
    def send(self, letter: Letter) -> Outcome:
        """Try once, within a bounded time. A failure of the sink is an outcome, no exception."""
        ...


class Unwelcome(ExpectedError):
    """A sink does not answer, or not to us; the words are its own."""


@runtime_checkable
class Greeter(Protocol):
    """A sender that can see whether its sink would take letters, without sending one."""

    def greet(self) -> str:
        """Return what was found, or raise `Unwelcome`."""
        ...


@dataclass(frozen=True, slots=True)
class Sought:
    """Which letters are asked for: those of an owner, and of jobs of users whose jobs he sees.

    Without both everybody's; `before` is the number that a page goes on from.
    """

    owner: str | None = None
    users: Collection[UserName] | None = None
    stage: Stage | None = None
    message_id: str | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many letters there are of each stage, and since when the first of them waits."""

    by_stage: Mapping[Stage, int]
    waiting_since: datetime | None


class Letters(Protocol):
    """All of it may raise `StateError`; nothing was written then."""

    def add(self, letter: Letter) -> bool:
        """Write a new one down, unless its monitor, event and method have one already."""
        ...

    def heads(self, now: datetime) -> Sequence[Letter]:
        """Return of each sink the waiting letter whose turn it is: the fewest tries, the oldest."""
        ...

    def claim(self, letter: Letter, now: datetime, until: datetime) -> bool:
        """Keep a letter that is due from everybody else until then; False: somebody was quicker.

        Where whoever claimed it is killed, it is due again then.
        """
        ...

    def note(self, letter: Letter) -> None:
        """Write down what became of a try; what is delivered or dead already stays so."""
        ...

    def latest(self, limit: int) -> Sequence[Letter]:
        """Return the newest letters, whatever became of them, the newest first."""
        ...

    def search(self, sought: Sought, limit: int) -> Sequence[tuple[int, Letter]]:
        """Return those that are sought with their numbers, the newest first."""
        ...

    def try_again(self, letter: Letter, now: datetime) -> bool:
        """Let a dead one be tried for a day more; False: it is not dead, or no longer."""
        ...

    def tally(self) -> Tally: ...

    def forget(self, before: datetime) -> None:
        """Let those go that were made before then and wait no more."""
        ...
