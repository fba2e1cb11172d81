"""What declared variables say of themselves: the page that documents them, and names unknown."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from waldur_slurm.variables.variable import Variable

Chapters = Sequence[tuple[str, str]]
"""Each chapter's title, and a pattern with which the names of its variables begin."""


def unknown_variables(
    environ: Mapping[str, str], declared: Sequence[Variable], ours: str
) -> Iterator[str]:
    """Warn of names that look like ours and are not, such as a misspelt one.

    `ours` is a pattern with which names begin that nobody else uses; of all others only a near
    miss is suspicious.
    """
    names = [variable.name for variable in declared]
    for name in sorted(environ.keys() - set(names)):
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.88)
        if near:
            yield f"{name} has no effect; is {near[0]} meant?"
        elif re.match(ours, name):
            yield f"{name} has no effect: there is no such variable"


def page(opening: str, chapters: Chapters, declared: Sequence[Variable]) -> str:
    return "\n".join([opening, *(_chapter(title, ours, declared) for title, ours in chapters)])


def _chapter(title: str, ours: str, declared: Sequence[Variable]) -> str:
    rows = [_row(variable) for variable in declared if re.match(ours, variable.name)]
    return "\n".join(
        [f"## {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""]
    )


def _row(variable: Variable) -> str:
    default = f"`{variable.default}`" if variable.default else variable.unset_means or "not set"
    name = f"`{variable.name}`"
    if variable.is_required:
        return f"| **{name}** | required | {variable.meaning} |"
    return f"| {name} | {default} | {variable.meaning} |"
