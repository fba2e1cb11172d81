"""What every program of ours does around its work: errors find their exit codes, streams are sound.

Data goes to standard output, everything else to standard error; neither ever shows a secret.
"""

import os
import sys
import traceback
from collections.abc import Callable, Iterable
from errno import ENOSPC
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from waldur_slurm.errors import ExpectedError, SettingsError
from waldur_slurm.service.signals import Stopped
from waldur_slurm.telemetry.lines import visible
from waldur_slurm.telemetry.redaction import redaction

FAILED = 1
TRY_AGAIN = 75
WRONG_SETTINGS = 78
STOPPED = 130

Arguments = TypeVar("Arguments")


def run_program(
    name: str,
    read_arguments: Callable[[], Arguments],
    work: Callable[[Arguments], int],
    advice: Callable[[Arguments, ExpectedError], Iterable[str]],
    hidden: list[str],
) -> int:
    """Do the work; `name` begins each line of an error. The work adds to what is `hidden`.

    `advice` has more lines about an error: what others say seldom says what to do.
    """
    _reopen_closed_streams()
    sys.excepthook = partial(_print_crash, hidden)
    fail = partial(_fail, name, hidden)
    arguments = read_arguments()
    try:
        return work(arguments)
    except SettingsError as error:
        return fail(WRONG_SETTINGS, [*error.mistakes, *advice(arguments, error)])
    except ExpectedError as error:
        code = TRY_AGAIN if error.transient else FAILED
        return fail(code, [str(error), *advice(arguments, error)])
    except (Stopped, KeyboardInterrupt):
        return fail(STOPPED, ["stopped; what was not done yet is left as it was"])
    except BrokenPipeError:
        _drop_output()
        return FAILED
    except OSError as error:
        if error.errno != ENOSPC:
            raise
        _drop_output()
        return fail(FAILED, [f"the output cannot be written: {error.strerror}"])


def _reopen_closed_streams() -> None:
    """Whoever started us may have closed them; what is written there then goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
            setattr(sys, name, nowhere)


def _drop_output() -> None:
    """What is still buffered reaches nobody, and must not be tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(name: str, hidden: Iterable[str], code: int, lines: Iterable[str]) -> int:
    redact = redaction(hidden)
    for line in lines:
        sys.stderr.write(f"{name}: {redact(visible(line))}\n")
    return code


def _print_crash(
    hidden: Iterable[str],
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
) -> None:
    """Print the traceback of a defect as Python does, but no secret that it may quote."""
    sys.stderr.write(redaction(hidden)("".join(traceback.format_exception(kind, error, trace))))
