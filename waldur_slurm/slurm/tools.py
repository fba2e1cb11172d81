"""One command to Slurm and what its ending proves: an answer, a refusal, or silence."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import chain

from waldur_slurm.errors import ExpectedError
from waldur_slurm.processes.port import Argv, Completed, Transport
from waldur_slurm.slurm.grammar.commands import ENVIRONMENT, SLURM_TOOLS
from waldur_slurm.slurm.grammar.evidence import (
    is_slurms_own,
    probe_for,
    refusal,
    silence,
    words_of_silence,
)
from waldur_slurm.slurm.grammar.habits import (
    Habit,
    ask_version,
    begins_oddly,
    learn_habit,
    without_banner,
)
from waldur_slurm.slurm.grammar.rows import lines_of


class Tools:
    """One Slurm's tools: knows where its tools lie and how they are heard."""

    def __init__(
        self, transport: Transport, *, bin_path: str = "", timeout: timedelta | None = None
    ) -> None:
        self._transport = transport
        self._bin_path = bin_path.rstrip("/")
        self._timeout = timeout
        self._habits: dict[str, Habit] = {}

    def ask(self, argv: Argv, *, stdin: str = "") -> str:
        """Return what Slurm said, if it ended well; else `CommandFailed` or `AccountingDown`."""
        completed = self.attempt(argv, stdin=stdin)
        self.believe(argv, completed)
        answer = lines_of(completed.out)
        if not begins_oddly(argv, next(answer, "")) or not completed.out:
            return completed.out
        kept = without_banner(lines_of(completed.out), self._learned(argv))
        return "".join(f"{line}\n" for line in kept)

    def attempt(self, argv: Argv, *, stdin: str = "") -> Completed:
        """Return how a command ended, for whom a failure may be an answer too."""
        return self._transport.run(
            self._located(argv), stdin=stdin, environ=ENVIRONMENT, timeout=self._timeout
        )

    def listen(self, argv: Argv, *, environ: Mapping[str, str] | None = None) -> Iterator[str]:
        """Yield lines as they come; they are worth nothing if this raises at the end.

        `environ` is for what nobody else on the machine may read, unlike an argv.
        """
        lines = self._transport.stream(
            self._located(argv),
            believe=lambda completed: self.believe(argv, completed),
            environ={**ENVIRONMENT, **(environ or {})},
            timeout=self._timeout,
        )
        for first in lines:
            odd = begins_oddly(argv, first)
            whole = chain((first,), lines)
            yield from without_banner(whole, self._learned(argv)) if odd else whole

    def believe(self, argv: Argv, completed: Completed) -> None:
        """Raise unless the command ended well and somebody was there to answer it."""
        if words := self._silent_words(argv, completed):
            raise silence(argv, completed, words)
        if completed.code != 0:
            raise (
                silence(argv, completed) if self._nobody_answers(argv) else refusal(argv, completed)
            )

    def is_silence(self, argv: Argv, completed: Completed) -> bool:
        """Say whether the words themselves prove that nobody answered."""
        return bool(self._silent_words(argv, completed))

    def _silent_words(self, argv: Argv, completed: Completed) -> tuple[str, ...]:
        """Leave out what a wrapper of the site's says whenever this tool is called."""
        words = words_of_silence(completed)
        if argv[0] not in SLURM_TOOLS or any(map(is_slurms_own, words)):
            return words
        left = self._habits.get(argv[0], Habit()).leaves(words)
        return self._learned(argv).leaves(words) if left else ()

    def _learned(self, argv: Argv) -> Habit:
        """Ask for what needs no answer from anybody, and see what is said all the same."""
        try:
            habit = learn_habit(self.attempt(ask_version(argv[0])))
        except ExpectedError:
            return Habit()
        self._habits[argv[0]] = habit
        return habit

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
