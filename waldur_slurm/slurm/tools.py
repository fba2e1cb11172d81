"""One command to Slurm and what its ending proves: an answer, a refusal, or silence."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from waldur_slurm.errors import ExpectedError
from waldur_slurm.processes.port import Argv, Completed, Transport
from waldur_slurm.slurm.grammar.commands import ENVIRONMENT, SLURM_TOOLS
from waldur_slurm.slurm.grammar.evidence import is_silence, probe_for, refusal, silence


class Tools:
    """One Slurm's tools: knows where its tools lie and how they are heard."""

    def __init__(
        self, transport: Transport, *, bin_path: str = "", timeout: timedelta | None = None
    ) -> None:
        self._transport = transport
        self._bin_path = bin_path.rstrip("/")
        self._timeout = timeout

    def ask(self, argv: Argv, *, stdin: str = "") -> str:
        """Return what Slurm said, if it ended well; else `CommandFailed` or `AccountingDown`."""
        completed = self.attempt(argv, stdin=stdin)
        self.believe(argv, completed)
        return completed.out

    def attempt(self, argv: Argv, *, stdin: str = "") -> Completed:
        """Return how a command ended, for whom a failure may be an answer too."""
        return self._transport.run(
            self._located(argv), stdin=stdin, environ=ENVIRONMENT, timeout=self._timeout
        )

    def listen(self, argv: Argv, *, environ: Mapping[str, str] | None = None) -> Iterator[str]:
        """Yield lines as they come; they are worth nothing if this raises at the end.

        `environ` is for what nobody else on the machine may read, unlike an argv.
        """
        return self._transport.stream(
            self._located(argv),
            believe=lambda completed: self.believe(argv, completed),
            environ={**ENVIRONMENT, **(environ or {})},
            timeout=self._timeout,
        )

    def believe(self, argv: Argv, completed: Completed) -> None:
        """Raise unless the command ended well and somebody was there to answer it."""
        if is_silence(completed):
            raise silence(argv, completed)
        if completed.code != 0:
            raise (
                silence(argv, completed) if self._nobody_answers(argv) else refusal(argv, completed)
            )

    def _nobody_answers(self, argv: Argv) -> bool:
        probe = probe_for(argv)
        if probe == argv:
            return True
        try:
            return self.attempt(probe).code != 0
        except ExpectedError:
            return True

    def _located(self, argv: Argv) -> Argv:
        if self._bin_path and argv[0] in SLURM_TOOLS:
            return (f"{self._bin_path}/{argv[0]}", *argv[1:])
        return argv
