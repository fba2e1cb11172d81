"""The `#SBATCH` lines of a script, which are options of whoever submits it. Pure."""

from collections.abc import Iterator

_MARK = "#SBATCH"


def directive_lines(script: str) -> Iterator[str]:
    """Yield what follows `#SBATCH`, line by line; the first command of the script ends them."""
    for line in script.split("\n"):
        if line.startswith(_MARK):
            yield line.removeprefix(_MARK)
        elif line.strip() and not line.lstrip().startswith("#"):
            return
