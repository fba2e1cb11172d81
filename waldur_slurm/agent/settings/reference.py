"""What the settings say of themselves: the reference in docs/settings.md, and names unknown."""

import difflib
import re
from collections.abc import Iterator, Mapping

from waldur_slurm.agent.settings.declaration import Settings
from waldur_slurm.agent.settings.variable import Variable

_OPENING = """\
# Settings

The agent is told everything by environment variables. An env file of systemd or Docker may carry
a comment at the end of a line; a value that is empty counts as not set. Mistakes are reported all
at once, and the agent exits with 78. `waldur-slurm-agent settings` shows what is in force.

Times are seconds (`90`) or carry a unit (`90s`, `15m`, `24h`, `2d`); flags are `true` or `false`.
This page is made from the code:
`python3 -m waldur_slurm.agent.settings.reference > docs/settings.md`.
"""

_CHAPTERS = (
    ("Waldur", r"WALDUR_|REQUESTS_"),
    ("Slurm", r"SLURM_|ENABLE_"),
    ("Pull: orders and members into Slurm", r"PULL_"),
    ("Push: usage and limits to Waldur", r"PUSH_|BILLING_"),
    ("The agent itself", r"AGENT_|SENTRY_"),
)


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Warn of names that look like ours and are not, such as a misspelt one.

    Slurm, requests and Sentry have variables of their own: there only a near miss is suspicious.
    """
    names = [declared.name for _, declared in Settings.variables()]
    for name in sorted(environ.keys() - set(names)):
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.88)
        if near:
            yield f"{name} has no effect; is {near[0]} meant?"
        elif re.match(r"WALDUR_|PULL_|PUSH_", name):
            yield f"{name} has no effect: there is no such variable"


def reference() -> str:
    """The text of docs/settings.md."""
    declared = [variable for _, variable in Settings.variables()]
    return "\n".join([_OPENING, *(_chapter(title, ours, declared) for title, ours in _CHAPTERS)])


def _chapter(title: str, ours: str, declared: list[Variable]) -> str:
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


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - the page is this module's data
