"""Slurm's tools that are asked once and say the same for ever: for what is not about Slurm."""

from pathlib import Path

from benchmarks.tools import SYSTEM
from tests.e2e.program import TOOLS

SCRIPT = """\
#!/bin/sh
# Whoever asks the same, but for numbers such as times, hears what the first one heard.
kept={directory}/kept-$(echo "{tool} $*" | tr -d 0-9 | cksum | tr ' ' -)
if [ ! -e "$kept" ]; then
    {where}/{tool} "$@" >"$kept.$$" || exit
    mv "$kept.$$" "$kept"
fi
exec cat "$kept"
"""


def replaying_tools(directory: Path, where: Path = SYSTEM) -> Path:
    directory.mkdir()
    for tool in TOOLS:
        script = directory / tool
        script.write_text(SCRIPT.format(directory=directory, tool=tool, where=where))
        script.chmod(0o755)
    return directory
