"""`python3 -m sandbox demo`: the tour, and with --keep a site that stays for a while."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from sandbox.demo.screen import Screen
from sandbox.demo.site import MACHINES, AgentFailed, Site, running_site
from sandbox.demo.staying import (
    AT_MOST,
    INTERRUPTED,
    KEPT_FOR,
    end_at_sigterm,
    let_go_of_the_terminal,
)
from sandbox.demo.tour import guide
from sandbox.slurm import SandboxError


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m sandbox demo", description=__doc__)
    parser.add_argument(
        "--keep", action="store_true", help="leave the site running, for two hours at most"
    )
    parser.add_argument(
        "--front",
        choices=["agent", "gateway", "operator"],
        default="agent",
        help="whose tour it is",
    )
    parser.add_argument(
        "--without-node", action="store_true", help="the operator's as if no kubelet could run here"
    )
    chosen = parser.parse_args(argv)
    if chosen.front == "gateway":
        from sandbox.gateway_demo import cli as gateway

        return gateway.main(keep=chosen.keep)
    if chosen.front == "operator":
        from sandbox.operator_demo import cli as operator

        return operator.main(keep=chosen.keep, with_node=not chosen.without_node)
    try:
        _show(Screen(), keep=chosen.keep)
    except (AgentFailed, SandboxError) as failure:
        sys.stdout.flush()
        sys.stderr.write(f"{failure}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _show(screen: Screen, *, keep: bool) -> None:
    begun = time.monotonic()
    with ExitStack() as ends:
        with screen.working("Slurm and a Waldur stand-in start"):
            site = ends.enter_context(running_site(KEPT_FOR if keep else AT_MOST))
        screen.say(
            f"Slurm {site.slurm_version} is real, with accounting; its {MACHINES.nodes} nodes claim"
            f" {MACHINES.cpus} CPUs and {MACHINES.gpus} GPUs each. The Waldur is a stand-in that"
            f" answers as a real one does, at {site.waldur.url}"
        )
        guide(site, screen)
        if keep:
            _stay(lambda pid: _tell_what_stays(site, screen, pid))
        else:
            seconds = time.monotonic() - begun
            screen.close(
                f"That took {seconds:.0f} s. `make demo KEEP=1` leaves the site running;"
                " `make demo FRONT=gateway` and `make demo FRONT=operator` show the other fronts."
            )


def _stay(tell: Callable[[int], None]) -> None:
    """Go on in the background until the site's time is over; in the foreground tell, and leave.

    What the site hangs on are pipes and locks of its starter, which the one who stays holds too.
    """
    if pid := os.fork():
        tell(pid)
        sys.stdout.flush()
        os._exit(0)  # without ending the site
    os.setsid()
    let_go_of_the_terminal()
    end_at_sigterm()
    time.sleep(KEPT_FOR.total_seconds())


def _tell_what_stays(site: Site, screen: Screen, pid: int) -> None:
    account = site.waldur.resources()[0]["backend_id"]
    screen.chapter("The site stays for you to play with")
    screen.say(f"It ends by itself at {site.ends_at:%H:%M} UTC; `kill {pid}` ends it now.")
    screen.commands(
        (f". {site.directory}/shell", "Slurm's commands find this cluster, and you get four more"),
        ("waldur show orders", "what Waldur holds; `waldur` tells what customers can do there"),
        ("waldur create Glaciers Storms --limit cpu=500", "order something"),
        ("pull plan", "what the agent would do about it; `pull once` does it"),
        ("sacctmgr show assoc tree format=account,user,grptresmins%40", "see it in Slurm"),
        (f"submit {site.people[0]} {account} --wrap 'sleep 20'", "be a user: run a job"),
        ("push once", "report what was used; `waldur show usage` shows it"),
        ("waldur terminate Storms", "end it; `pull once` carries it out"),
    )
