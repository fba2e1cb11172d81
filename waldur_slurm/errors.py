"""Every error this project raises on purpose, and whether trying again may help.

AgentError
├── SettingsError
├── InvalidName
├── SlurmError
│   ├── TransportError      (transient)
│   ├── CommandFailed
│   │   └── AccountingDown  (transient)
│   └── UnparsableOutput
├── WaldurError
│   ├── WaldurUnreachable   (transient)
│   ├── WaldurRejected
│   └── UnexpectedPayload
├── StateError
├── AlreadyRunning          (transient)
├── CannotListen            (transient)
├── NoSuchAllocation
└── UnsafePlan
"""

from typing import ClassVar


class AgentError(Exception):
    """Root of the tree; `transient` says whether the same call may succeed later."""

    transient: ClassVar[bool] = False


class SettingsError(AgentError):
    """The environment, or a file it names, does not describe a runnable agent."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class InvalidName(AgentError):
    """A name that Slurm would misread, shorten or spread over several entities."""


class SlurmError(AgentError):
    """Slurm could not do, or could not tell us, something."""


class TransportError(SlurmError):
    """The command never ran to an end: missing binary, missing container, time-out."""

    transient = True


class CommandFailed(SlurmError):
    """The command ran and said no."""

    def __init__(self, argv: tuple[str, ...], code: int, said: str) -> None:
        super().__init__(f"{argv[0]} exited {code}: {said}")
        self.argv = argv
        self.code = code
        self.said = said


class AccountingDown(CommandFailed):
    """The command ran, but what stands behind it (slurmdbd, its database, munge) did not answer."""

    transient = True


class UnparsableOutput(SlurmError):
    """Slurm said something we do not understand; better to stop than to guess."""

    def __init__(self, words: str) -> None:
        super().__init__(words if len(words) <= 400 else f"{words[:400]}...")


class WaldurError(AgentError):
    """Waldur could not do, or could not tell us, something."""


class WaldurUnreachable(WaldurError):
    """No answer, or an answer that says "not now": refused connection, time-out, 429, 5xx."""

    transient = True


class WaldurRejected(WaldurError):
    """Waldur understood the request and said no."""

    def __init__(self, request: str, status: int, said: str) -> None:
        super().__init__(f"{request} answered {status}: {said}")
        self.request = request
        self.status = status
        self.said = said


class UnexpectedPayload(WaldurError):
    """Waldur answered something that its contract does not promise."""


class StateError(AgentError):
    """What the agent must remember could not be read or written."""


class AlreadyRunning(AgentError):
    """Another agent on this host serves the same offering in the same direction."""

    transient = True


class CannotListen(AgentError):
    """The address that others should watch the agent at cannot be had."""

    transient = True


class NoSuchAllocation(AgentError):
    """Somebody asked about an account that no allocation of the offering has."""


class UnsafePlan(AgentError):
    """The plan removes more than the site's policy allows in one cycle."""
