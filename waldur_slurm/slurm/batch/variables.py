"""A job's variables where no hand takes them: through a file that has no name, as the hand does.

Whoever may read the process's arguments or a directory sees none of them, and no value can end
another: sbatch reads `NAME=value` with a zero byte after each.
"""

from collections.abc import Mapping
from datetime import timedelta

from waldur_slurm.errors import CannotStart
from waldur_slurm.processes.port import Argv, Completed, Transport

NOWHERE = 125
_SCRIPT = (
    "umask 077; file=$(mktemp) || exit 125; size=$1; shift"
    '; { exec 3>"$file" 4<"$file" && rm -f "$file" && head -c "$size" >&3; } || exit 125'
    '; exec 3>&-; exec "$@" --export=ALL --export-file=4'
)


class ShellVariables:
    """`Commands` over any transport: a shell puts aside what stands before the script on stdin."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Completed:
        if variables is None:
            return self._transport.run(argv, stdin=stdin, environ=environ, timeout=timeout)
        text = variables_text(variables)
        wrapped = ("sh", "-c", _SCRIPT, "sh", str(len(text.encode())), *argv)
        completed = self._transport.run(
            wrapped, stdin=text + stdin, environ=environ, timeout=timeout
        )
        if completed.code == NOWHERE:
            raise CannotStart(f"{argv[0]} cannot be started: {completed.err.strip()}")
        return completed


def variables_text(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\0" for name, value in variables.items())
