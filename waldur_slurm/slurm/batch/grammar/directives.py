"""The `#SBATCH` lines of a script, which are options of whoever submits it. Pure.

The command line wins over the script, but it can take nothing back. So a script whose job shall be
handed in once, and found again, may not say what would send it to another cluster, keep sbatch from
ending, or make no job at all.
"""

import re
import shlex
from collections.abc import Iterator, Mapping

from waldur_slurm.model.batch import BatchSheet

_MARK = "#SBATCH"

FORBIDDEN: Mapping[str, str] = {
    "clusters": "on which cluster it runs is said otherwise",
    "wait": "it would keep the answer until the job ends",
    "test-only": "it makes no job",
}
_LETTERS = {"M": "clusters", "W": "wait"}
_WAITING = {"hold": "H", "begin": "b", "dependency": "d"}
"""Options by which a job may end without ever having been eligible, with their letters."""

_ALONE = "HhkOQsvVW"
"""Letters of sbatch that take no value, so that another letter may follow."""

_FOREIGN = re.compile(r"^#(?:PBS|BSUB)\b", re.MULTILINE)


def directive_lines(script: str) -> Iterator[str]:
    """Yield what follows `#SBATCH`, line by line; the first command of the script ends them."""
    for line in script.split("\n"):
        if line.startswith(_MARK):
            yield line.removeprefix(_MARK)
        elif line.strip() and not line.lstrip().startswith("#"):
            return


def forbidden_in(script: str) -> str | None:
    """Return the option that the script may not give, of `FORBIDDEN`."""
    for name in _told(script):
        for option in FORBIDDEN:
            if _means(name, option) or _LETTERS.get(name) == option:
                return option
    return None


def says(script: str, option: str, letter: str) -> bool:
    """Whether the script gives the option, by its long name or its letter."""
    return any(name == letter or _means(name, option) for name in _told(script))


def may_wait(sheet: BatchSheet) -> bool:
    """Whether the job might end before it is eligible; in doubt it might."""
    told = {*_told(sheet.script)}
    return _FOREIGN.search(sheet.script) is not None or any(
        option in sheet.options or letter in told or any(_means(name, option) for name in told)
        for option, letter in _WAITING.items()
    )


def _means(name: str, option: str) -> bool:
    """Whether a long name may be short for the option; a single letter is none."""
    return len(name) > 1 and option.startswith(name)


def _told(script: str) -> Iterator[str]:
    """Yield names of options, long ones and letters, that the script's first lines hold."""
    for line in directive_lines(script):
        for word in _words(line):
            yield from _names(word)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return re.sub(r"[\"'\\]", "", line).split()


def _names(word: str) -> Iterator[str]:
    if word.startswith("--"):
        yield word[2:].partition("=")[0]
    elif word.startswith("-"):
        for letter in word[1:]:
            yield letter
            if letter not in _ALONE:
                return
