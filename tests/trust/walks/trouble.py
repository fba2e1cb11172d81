"""What may go wrong during one cycle, at its n-th call: a value that a walk chooses.

The ports are reached through gates; a gate lets the cycle's trouble meet every call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hypothesis import strategies as st

from tests.fakes.pull_crash import Crash
from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected, WaldurUnreachable
from waldur_slurm.errors import (
    AccountingDown,
    CommandFailed,
    StateError,
    TransportError,
    UnparsableOutput,
)
from waldur_slurm.model.accounts import Snapshot

WALDUR, SLURM, STATE = "Waldur", "Slurm", "state"

_ERRORS: Mapping[str, Callable[[], Exception]] = {
    "Waldur is out of reach": lambda: WaldurUnreachable("connection reset"),
    "Waldur says 403": lambda: WaldurRejected("request", 403, "You do not have permission."),
    "Waldur says 404": lambda: WaldurRejected("request", 404, "No such object."),
    "Waldur says 409": lambda: WaldurRejected("request", 409, "Valid states for operation: OK."),
    "Waldur talks nonsense": lambda: UnexpectedPayload("a list where an object was promised"),
    "Slurm's accounting is down": lambda: AccountingDown(("sacctmgr",), 1, "Connection refused"),
    "Slurm does not answer": lambda: TransportError("sacctmgr: no answer in time"),
    "Slurm says no": lambda: CommandFailed(("sacctmgr",), 1, "Access denied"),
    "Slurm talks nonsense": lambda: UnparsableOutput("half a line"),
    "the disk is full": lambda: StateError("cannot write: No space left on device"),
}
_SIDES = {"Waldur": WALDUR, "Slurm": SLURM, "Slurm's": SLURM, "the": STATE}
_LIES: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "no orders": ("read_orders", lambda _answer: ()),
    "no resources": ("read_resources", lambda _answer: ()),
    "half the resources": ("read_resources", lambda answer: answer[: len(answer) // 2]),
    "empty teams": ("read_members", lambda answer: dict.fromkeys(answer, frozenset())),
    "no teams": ("read_members", lambda _answer: {}),
    "no offering users": ("read_offering_users", lambda _answer: ()),
    "half the offering users": ("read_offering_users", lambda answer: answer[: len(answer) // 2]),
    "no usage in Waldur": ("read_usages", lambda _answer: ()),
    "no accounts": ("read_snapshot", lambda _answer: Snapshot({})),
    "no accounts for push": ("read_outline", lambda _answer: Snapshot({})),
    "no job records": ("read_job_records", lambda _answer: iter(())),
}


@dataclass(frozen=True)
class Call:
    """One call of a port."""

    side: str
    name: str
    act: Callable[[], Any]


class Trouble(Protocol):
    kind: str

    def meet(self, call: Call) -> Any:
        """Let the call happen, or not, or wrongly."""
        ...


@dataclass
class Calm:
    kind: str = "calm"

    def meet(self, call: Call) -> Any:
        return call.act()


@dataclass
class Failing:
    """A side fails at its n-th call, before or after the effect, or from there to the end."""

    kind: str
    nth: int
    is_after: bool
    lasts: bool
    _calls: int = field(default=0, repr=False)

    def meet(self, call: Call) -> Any:
        if call.side != _SIDES[self.kind.split()[0]] or not self._fits(call.name):
            return call.act()
        self._calls += 1
        is_struck = self._calls > self.nth if self.lasts else self._calls == self.nth + 1
        if not is_struck:
            return call.act()
        if self.is_after and not self.lasts:
            call.act()
        raise _ERRORS[self.kind]()

    def _fits(self, name: str) -> bool:
        """Only what changes something is refused; only what is read can be nonsense."""
        if self.kind == "Slurm talks nonsense":
            return name.startswith("read_")
        if self.kind in ("Slurm says no", "the disk is full"):
            return not name.startswith("read")
        return True


@dataclass
class Killed:
    """The agent is killed right before or after its n-th effect on anything."""

    nth: int
    is_after: bool
    kind: str = "the agent is killed"
    _effects: int = field(default=0, repr=False)

    def meet(self, call: Call) -> Any:
        if call.name.startswith("read"):
            return call.act()
        self._effects += 1
        is_last = self._effects == self.nth + 1
        if is_last and not self.is_after:
            raise Crash
        answer = call.act()
        if is_last:
            raise Crash
        return answer


@dataclass
class Lying:
    """One bulk answer is empty or halved, and says nothing of that."""

    kind: str

    def meet(self, call: Call) -> Any:
        method, shrink = _LIES[self.kind]
        answer = call.act()
        return shrink(answer) if call.name == method else answer


class Gate:
    """A port whose calls meet the trouble of the cycle."""

    def __init__(self, side: str, part: Any, trouble: Callable[[], Trouble]) -> None:
        self._side, self._part, self._trouble = side, part, trouble

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._trouble().meet(
            Call(self._side, name, lambda: found(*args, **kwargs))
        )


def troubles() -> st.SearchStrategy[Trouble]:
    """Most cycles are calm, so that a walk gets somewhere."""
    calm: st.SearchStrategy[Trouble] = st.builds(Calm)
    nth = st.integers(0, 25)
    failing = st.builds(
        Failing, st.sampled_from(sorted(_ERRORS)), nth, st.booleans(), st.booleans()
    )
    killed = st.builds(Killed, nth, st.booleans())
    lying = st.builds(Lying, st.sampled_from(sorted(_LIES)))
    return st.one_of(calm, calm, calm, failing, killed, lying)
