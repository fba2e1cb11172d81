"""`make demo FRONT=gateway`: the tour, and with --keep a site that stays for a while."""

from contextlib import ExitStack
from datetime import timedelta

from sandbox.demo.front import Front, how_to_end_it, show
from sandbox.demo.screen import Screen
from sandbox.demo.site import MACHINES
from sandbox.gateway_demo.site import GatewaySite, running_site
from sandbox.gateway_demo.tour import guide

FOR_A_VISITOR = (
    "cluster:read", "jobs:read:all", "jobs:submit", "jobs:cancel", "jobs:control", "files:read",
    "files:write", "history:read", "accounts:read", "monitor:read", "monitor:write", "apps:admin",
)  # fmt: skip


def main(*, keep: bool) -> int:
    return show(FRONT, keep=keep)


def _begin(ends: ExitStack, screen: Screen, lifetime: timedelta) -> GatewaySite:
    with screen.working("Slurm, its users, the gateway and a mail relay start"):
        site = ends.enter_context(running_site(lifetime))
    anonymous = site.environ["GATEWAY_ANONYMOUS_SCOPES"].replace(",", ", ")
    screen.say(
        f"Slurm {site.slurm_version} is real, with accounting and {MACHINES.nodes} nodes; so is the"
        f" gateway, at {site.url}, which is never root and acts as {' and '.join(site.people)}."
        " Clients that show no token may read, as the originals let them, by"
        f" GATEWAY_ANONYMOUS_SCOPES: {anonymous}."
    )
    return site


def _visitors_token(site: GatewaySite) -> str:
    """Make one that opens every page of the dashboard; the tour's own were as narrow as can be."""
    scopes, people = ",".join(FOR_A_VISITOR), ",".join(site.people)
    return site.gateway(
        *("token", "make", "--name", "visitor", "--scopes", scopes, "--run-as", people)
    ).out.strip()


def _tell_what_stays(site: GatewaySite, screen: Screen) -> None:
    token = _visitors_token(site)
    screen.chapter("The site stays for you to play with")
    screen.say(f"It ends by itself at {site.ends_at:%H:%M} UTC; `{how_to_end_it()}` ends it now.")
    screen.commands(
        (f"export GATEWAY_URL={site.url} GATEWAY_TOKEN={token}", "where it is, and a token"),
        (f"{site.url}/ui", "the dashboard, in a browser; that token is the way in"),
        (f"{site.url}/docs", "all that can be asked"),
        (
            'curl -sS -H "Authorization: Bearer $GATEWAY_TOKEN" $GATEWAY_URL/api/v1/jobs',
            "the queue",
        ),
    )


FRONT = Front(
    "gateway",
    _begin,
    guide,
    _tell_what_stays,
    "`make demo` is the agent's, FRONT=operator the operator's.",
)
