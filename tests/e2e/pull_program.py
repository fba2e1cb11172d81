"""The agent as a process of its own that can be made to die at any effect it has on the world.

An effect is a write: a Slurm command that changes something, a request that is no reading, a
document of the journal. Between two effects nothing outside changes, so these are all the moments
at which a kill can make a difference.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from tests.fakes.pull import COMPONENTS
from waldur_slurm.agent.model.marketplace import OfferingUuid, Resource
from waldur_slurm.agent.pull.cycle import PullCycle
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.policy import Consent, PullPolicy
from waldur_slurm.agent.waldur.client import WaldurMarketplace
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Answer, Bounds
from waldur_slurm.model.names import AccountName, ClusterName
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.state import StateDirectory
from waldur_slurm.telemetry.events import Event

R = TypeVar("R")

IDLE, CHANGED, FAILED = 0, 10, 20
_READERS = ("squeue", "sacct", "getent", "scontrol", "sacctmgr", "sinfo")
POLICY = PullPolicy(
    require_unix_users=True, max_removals=Allowance(1000, Fraction(1)), max_terminations=1000
)


@dataclass(frozen=True, kw_only=True)
class Program:
    """All that a process of the agent is started with."""

    api_url: str
    token: str
    offering: str
    slurm_environ: Mapping[str, str]
    state: Path
    policy: PullPolicy = POLICY
    consent: Consent = field(default_factory=Consent)
    kill_at: int | None = None
    """Die at the n-th effect, counted from 0; None lets it live."""
    kill_after: bool = False
    """Die when the effect has happened instead of right before."""
    cycles: int = 1

    def run(self) -> int:
        """Return how its last cycle ended, or minus the signal that ended the process."""
        process = _context.Process(target=_main, args=(self,))
        process.start()
        process.join(120)
        code: int | None = process.exitcode
        assert code is not None, "the program does not end"
        return code

    def killed_at(self, effect: int, *, after: bool) -> "Program":
        return replace(self, kill_at=effect, kill_after=after)

    def cycle(self, sink: Callable[[Event], None], effects: "Effects") -> PullCycle:
        offering = OfferingUuid(self.offering)
        session = _Session(self, effects)
        return PullCycle(
            accounting=SlurmClient(_Transport(self, effects), cluster=ClusterName("lab")),
            marketplace=WaldurMarketplace(session, offering),
            offering=offering,
            components=COMPONENTS,
            policy=self.policy,
            state=_State(self, effects),
            sink=sink,
            clock=lambda: datetime.now(UTC),
            report_final_usage=_report_nothing,
            pause=lambda seconds: time.sleep(seconds / 5),
        )


def _report_nothing(resource: Resource, account: AccountName) -> bool:
    """Usage is the push direction's own matter, with tests of its own."""
    return True


_context: Any = get_context("forkserver")
_context.set_forkserver_preload([__name__])


def _main(program: Program) -> None:
    effects = Effects(program.kill_at, is_after=program.kill_after)
    events: list[Event] = []
    cycle = program.cycle(events.append, effects)
    code = FAILED
    for _ in range(program.cycles):
        report = cycle.run(program.consent)
        code = FAILED if report.failures else CHANGED if report.changes else IDLE
        if code == IDLE:
            break
    for event in events:
        print(event.name, dict(event.fields))  # noqa: T201 - pytest shows it when a test fails
    raise SystemExit(code)


class Effects:
    """Counts effects, and ends the process at one of them."""

    def __init__(self, kill_at: int | None, *, is_after: bool) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._is_after = is_after

    def have(self, act: Callable[[], R]) -> R:
        is_last = self.count == self._kill_at
        self.count += 1
        if is_last and not self._is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = act()
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class _Transport(NativeTransport):
    def __init__(self, program: Program, effects: Effects) -> None:
        super().__init__({**program.slurm_environ, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        self._effects = effects

    def run(self, argv: tuple[str, ...], **more: Any) -> Completed:
        def act() -> Completed:
            return super(_Transport, self).run(argv, **more)

        is_reading = argv[0] in _READERS and "--immediate" not in argv
        return act() if is_reading else self._effects.have(act)


class _Session(WaldurSession):
    def __init__(self, program: Program, effects: Effects) -> None:
        super().__init__(
            program.api_url,
            program.token,
            user_agent="waldur-slurm-agent/test (pull; waldur-site-agent)",
            bounds=Bounds(connect=5.0, read=20.0, whole=30.0),
        )
        self._effects = effects

    def _sent(self, method: str, url: str, asked: Mapping[str, Any]) -> Answer:
        def act() -> Answer:
            return super(_Session, self)._sent(method, url, asked)

        return act() if method in ("GET", "HEAD") else self._effects.have(act)


class _State(StateDirectory):
    def __init__(self, program: Program, effects: Effects) -> None:
        super().__init__(program.state)
        self._effects = effects

    def replace(self, name: str, document: Mapping[str, Any]) -> None:
        self._effects.have(lambda: super(_State, self).replace(name, document))
