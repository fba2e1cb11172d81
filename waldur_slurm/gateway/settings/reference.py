"""The gateway's settings as docs/gateway-settings.md lists them, and names like one of them."""

from collections.abc import Iterator, Mapping

from waldur_slurm.gateway.cli.variables import VARIABLES
from waldur_slurm.gateway.settings.declaration import Settings
from waldur_slurm.variables import reference

_OPENING = """\
# The gateway's settings

The gateway is told everything by environment variables. An env file of systemd or Docker may carry
a comment at the end of a line; a value that is empty counts as not set. Mistakes are reported all
at once, and the gateway exits with 78. `slurm-gateway settings` shows what is in force.

Times are seconds (`90`) or carry a unit (`90s`, `15m`, `24h`, `2d`); flags are `true` or `false`.
This page is made from the code:
`python3 -m waldur_slurm.gateway.settings.reference > docs/gateway-settings.md`.
"""

_CHAPTERS = (
    ("Listening", r"GATEWAY_(LISTEN|TLS|PLAIN)"),
    ("Slurm", r"SLURM_BIN|GATEWAY_(CLUSTERS|JOBS|COMMAND)"),
    (
        "Who may do what",
        r"GATEWAY_(ANONYMOUS|TRUSTED|HOSTS|CORS|M(IN|AX)_UID|PACE|OIDC|ROLES|SESSION)",
    ),
    ("Acting as users", r"SSH_|GATEWAY_(SSH|EXECUTOR|HAND|SETUID|CONNECTOR|SLURMRESTD|AUDIT)"),
    (
        "Slurm RestAPI's routes, and the load",
        r"GATEWAY_(RESTAPI|HIDDEN|ACCOUNTING|LOAD)",
    ),
    ("Apps and their jobs, and Slurmer's routes", r"GATEWAY_(APPS|SLURMER)"),
    ("slurm-proxy's routes", r"GATEWAY_PROXY|SLURM_REST_API"),
    ("Tasks", r"GATEWAY_TASK_"),
    ("Letters", r"SMTP_|GMAIL_|SLACK_|RABBITMQ_|GATEWAY_(SMTP|APPRISE|RABBITMQ|WEBHOOK|LETTERS)"),
    ("Watching jobs", r"MONITOR_|MONGODB_|GATEWAY_HOOK"),
    ("The gateway itself", r"GATEWAY_(STATE|LOG)|SENTRY_"),
)


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Those that the commands at a terminal read are known, and are no settings."""
    told = {name: value for name, value in environ.items() if name not in VARIABLES}
    return reference.unknown_variables(told, list(Settings.variables()), "GATEWAY_")


def page() -> str:
    """The text of docs/gateway-settings.md."""
    return reference.page(_OPENING, _CHAPTERS, list(Settings.variables()))


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is this module's data
