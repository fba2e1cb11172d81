"""Faults and a record for fakes: what was called, what was written, and what shall fail."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from waldur_slurm.agent.errors import WaldurUnreachable

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound="Faulty")


@dataclass(frozen=True, slots=True)
class Write:
    """One thing that was told: the port's method, what it was about, and the rest."""

    method: str
    subject: str
    detail: object = None


@dataclass(frozen=True, slots=True)
class Fault:
    error: Exception
    is_after: bool


@dataclass(kw_only=True)
class Faulty:
    """A fake whose methods, marked with `answers`, can be told to fail."""

    writes: list[Write] = field(default_factory=list)
    calls: "Counter[str]" = field(default_factory=Counter)
    lock: RLock = field(default_factory=RLock)
    _faults: dict[str, list[Fault]] = field(default_factory=dict)
    _is_down: bool = False

    def fail_next(self, method: str, error: Exception, *, after: bool = False) -> None:
        """Let the next call of `method` fail; `after`: when its effect has happened already."""
        self._faults.setdefault(method, []).append(Fault(error, after))

    def go_down(self) -> None:
        """Every call from now on is refused a connection."""
        self._is_down = True

    def come_back(self) -> None:
        self._is_down = False

    def written(self, method: str) -> list[Write]:
        return [write for write in self.writes if write.method == method]

    def note(self, method: str, subject: str, detail: object = None) -> None:
        self.writes.append(Write(method, subject, detail))

    def answered(self) -> None:
        """What every answer does beside its own effect."""

    def strike(self, method: str) -> Fault | None:
        """Count the call and say which fault it shall meet."""
        self.calls[method] += 1
        if self._is_down:
            return Fault(WaldurUnreachable("connection refused"), is_after=False)
        planned = self._faults.get(method)
        return planned.pop(0) if planned else None


def answers(method: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
    """Let a planned fault strike before or after the call, and keep threads apart."""

    def answering(self: F, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            fault = self.strike(method.__name__)
            if fault is not None and not fault.is_after:
                raise fault.error
            answer = method(self, *args, **kwargs)
            self.answered()
            if fault is not None:
                raise fault.error
            return answer

    return answering
