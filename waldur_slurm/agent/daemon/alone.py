"""One agent for one offering and direction on one host, and a state directory for each."""

from contextlib import AbstractContextManager
from pathlib import Path

from waldur_slurm.errors import AlreadyRunning, ExpectedError, SettingsError
from waldur_slurm.service.lock import Holder, only_one

_SERVED = ("offering", "direction")
_WAIT = "wait until it has ended"
_STOP = "stop it, or send it SIGUSR1 to run a cycle now"


def only_agent(
    state_dir: Path, *, offering: str = "", direction: str = "", command: str | None = None
) -> AbstractContextManager[None]:
    """Hold the state directory's lock, or raise at once.

    A second agent for the same thing is `AlreadyRunning`. One for something else that was given
    the same directory is a `SettingsError`: waiting would not help either of them.
    """
    work = {"offering": offering, "direction": direction, "command": command or ""}

    def refusal(holder: Holder) -> ExpectedError:
        is_same = all(holder.work.get(name, "") in ("", work[name]) for name in _SERVED)
        return _second(holder, state_dir) if is_same else _shared(holder, state_dir)

    return only_one(state_dir, work, refusal)


def _second(holder: Holder, state_dir: Path) -> AlreadyRunning:
    typed = holder.work.get("command", "")
    since = f", since {holder.since}" if holder.since else ""
    return AlreadyRunning(
        f"{holder} already serves this offering and direction ({typed or 'the service'}{since})"
        f" and holds {state_dir / 'lock'}; {_WAIT if typed else _STOP}"
    )


def _shared(holder: Holder, state_dir: Path) -> SettingsError:
    theirs = f"{holder.work['direction']} for offering {holder.work['offering']}"
    return SettingsError(
        [
            f"AGENT_STATE_DIR: found {str(state_dir)!r}, where {holder} keeps what {theirs}"
            " remembers; expected a directory of its own for each offering and direction, as there"
            " is where the variable is not set"
        ]
    )
