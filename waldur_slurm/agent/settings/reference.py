"""The agent's settings as docs/settings.md lists them, and names that look like one of them."""

from collections.abc import Iterator, Mapping

from waldur_slurm.agent.settings.declaration import Settings
from waldur_slurm.variables import reference

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
    """Slurm, requests and Sentry have variables of their own, beside the agent's."""
    return reference.unknown_variables(environ, list(Settings.variables()), "WALDUR_|PULL_|PUSH_")


def page() -> str:
    """The text of docs/settings.md."""
    return reference.page(_OPENING, _CHAPTERS, list(Settings.variables()))


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is this module's data
