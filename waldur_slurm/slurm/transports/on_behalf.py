"""Slurm's tools and a user's files, as that user: `of(user)` gives both.

Nothing is decided here: the hand refuses what its grammar or root's hand.conf does not hold.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from waldur_slurm.errors import FileFailed, TransportError
from waldur_slurm.hand import wire
from waldur_slurm.hand.requests import MOST_TIMEOUT_S, to_wire
from waldur_slurm.processes.output import Capture, LineCutter
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports.files import Files, UserFiles
from waldur_slurm.slurm.transports.hands import Answer, Hand, Part, believed, whole

GRACE = timedelta(seconds=15)
SILENCE = timedelta(minutes=2)


class UserCommands:
    """A `Transport` that runs Slurm's tools as one user: sbatch, scancel and scontrol, no others.

    `environ` may hold what `hand.options.TOOL_ENVIRON` lists. What a job shall have goes into
    `variables`: sbatch then gives the job exactly those, whatever they hold.
    """

    def __init__(self, hand: Hand, user: str, *, timeout: timedelta, most_output: int) -> None:
        self._hand = hand
        self._user = user
        self._timeout = timeout
        self._most_output = most_output

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Completed:
        capture = Capture(argv[0], self._most_output)
        code = -1
        for each in self._parts(argv, stdin, environ, timeout, variables):
            if isinstance(each, Part):
                capture.add(each.kind == wire.DATA, each.payload)
            else:
                code = whole(each.facts, "code")
        return capture.completed(code)

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        cutter = LineCutter(argv[0])
        errors = Capture(argv[0], self._most_output)
        for each in self._parts(argv, "", environ, timeout, None):
            if not isinstance(each, Part):
                yield from cutter.rest()
                believe(errors.completed(whole(each.facts, "code")))
            elif each.kind == wire.DATA:
                yield from cutter.cut(each.payload)
            else:
                errors.add(False, each.payload)

    def _parts(
        self,
        argv: tuple[str, ...],
        stdin: str,
        environ: Mapping[str, str] | None,
        timeout: timedelta | None,
        variables: Mapping[str, str] | None,
    ) -> Iterator[Part | Answer]:
        allowed = timeout or self._timeout
        request = to_wire(
            "slurm",
            self._user,
            argv=[*argv],
            environ=dict(environ or {}),
            variables=None if variables is None else dict(variables),
            timeout_s=min(math.ceil(allowed.total_seconds()), MOST_TIMEOUT_S),
        )
        try:
            yield from believed(self._hand, request, (stdin.encode(),), allowed + GRACE, argv[0])
        except FileFailed as error:
            raise TransportError(f"{argv[0]} did not run to its end: {error}") from error


@dataclass(frozen=True, slots=True)
class Behalf:
    """What can be done as one user."""

    commands: UserCommands
    files: Files


class OnBehalf:
    """Acts as users through a hand."""

    def __init__(
        self,
        hand: Hand,
        *,
        timeout: timedelta = timedelta(minutes=1),
        silence: timedelta = SILENCE,
        most_output: int = 16 * 1024 * 1024,
    ) -> None:
        self._hand = hand
        self._timeout = timeout
        self._silence = silence
        self._most_output = most_output

    def of(self, user: str) -> Behalf:
        commands = UserCommands(
            self._hand, user, timeout=self._timeout, most_output=self._most_output
        )
        return Behalf(commands, UserFiles(self._hand, user, silence=self._silence))
