"""Every error that is raised on purpose by what all fronts share, and whether to try again.

ExpectedError
├── SettingsError
├── InvalidName
├── SlurmError
│   ├── TransportError      (transient)
│   │   ├── CannotStart     (transient)
│   │   └── NotLetIn        (transient)
│   ├── CommandFailed
│   │   └── AccountingDown  (transient)
│   ├── UnparsableOutput
│   ├── UnclearPart         (transient)
│   ├── NotPermitted
│   └── FileFailed
├── StateError
├── AlreadyRunning          (transient)
└── CannotListen            (transient)

A front has errors of its own below the same root, and turns each into an exit code in its `main`.
"""

import shlex
from typing import ClassVar

_LONGEST_COMMAND = 200


class ExpectedError(Exception):
    """Root of the trees: what else is raised is a defect. Trying again may help the transient."""

    transient: ClassVar[bool] = False


class SettingsError(ExpectedError):
    """The environment, or a file it names, does not describe what can run."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class InvalidName(ExpectedError):
    """A name that Slurm would misread, shorten or spread over several entities."""


class SlurmError(ExpectedError):
    """Slurm could not do, or could not tell us, something."""


class TransportError(SlurmError):
    """The command never ran to an end: missing binary, missing container, time-out."""

    transient = True


class CannotStart(TransportError):
    """The command did not even begin: whatever it was to do was not done."""


class NotLetIn(TransportError):
    """A host takes not this account's key; what others bring it may take."""


class CommandFailed(SlurmError):
    """The command ran and said no."""

    def __init__(self, argv: tuple[str, ...], code: int, said: str) -> None:
        super().__init__(f"{_shown(argv)} exited {code}: {said}")
        self.argv = argv
        self.code = code
        self.said = said


def _shown(argv: tuple[str, ...]) -> str:
    command = shlex.join(argv)
    longest = _LONGEST_COMMAND
    return command if len(command) <= longest else f"{command[:longest]}..."


class AccountingDown(CommandFailed):
    """The command ran, but what stands behind it (slurmdbd, its database, munge) did not answer."""

    transient = True


class UnparsableOutput(SlurmError):
    """Slurm said something we do not understand; better to stop than to guess."""

    def __init__(self, words: str) -> None:
        super().__init__(words if len(words) <= 400 else f"{words[:400]}...")


class UnclearPart(SlurmError):
    """What was asked for hangs on what was not: all has to be read to tell what it is."""

    transient = True


class NotPermitted(SlurmError):
    """Acting as this user, in this way or there, is not what root allows; nothing was done."""


class FileFailed(SlurmError):
    """The system said no to a user's file; `errno` is its name, such as ENOENT, or empty."""

    def __init__(self, why: str, errno: str) -> None:
        super().__init__(why)
        self.errno = errno


class StateError(ExpectedError):
    """What must be remembered could not be read or written."""


class AlreadyRunning(ExpectedError):
    """Another process on this host does the same work, and holds its lock."""

    transient = True


class CannotListen(ExpectedError):
    """The address that pages should be served at cannot be had."""

    transient = True
