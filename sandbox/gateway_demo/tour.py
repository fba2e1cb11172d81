"""The tour of the gateway: what three originals' clients type, and what its own do.

Rule: each chapter is one front; its lines run in a shell that knows $AT, the gateway's address.
"""

import json
from dataclasses import replace

from sandbox.demo.screen import Screen
from sandbox.demo.site import Run
from sandbox.gateway_demo.site import GatewayFailed, GatewaySite

COLUMNS = ("id_job", "job_name", "account", "partition", "state")
SCRIPT = "for n in 1 2 3; do echo line $n; sleep 1; done"


def guide(site: GatewaySite, screen: Screen) -> None:
    slurmer(site, screen)
    native(site, screen)
    restapi(site, screen)


def slurmer(site: GatewaySite, screen: Screen) -> None:
    screen.chapter("Slurmer's clients: an app creates a job for a user, starts it, reads it")
    made = site.gateway("token", "make", "--name", "admin", "--scopes", "apps:admin")
    site.variables |= {"ADMIN": made.out, "FOR": site.people[0]}
    app = json.loads(
        typed(
            site, screen, """curl -sS -H "X-Auth-Token: $ADMIN" -d '{"name": "portal"}' $AT/apps"""
        )
    )
    site.variables |= {"APP": app["id"], "TOKEN": app["access_token"]}
    _call_it_ask(site, screen, 'curl -sS -H "X-Auth-Token: $TOKEN" -H "User: $FOR"')
    job = json.loads(
        typed(
            site,
            screen,
            """ask -d '{"job_name": "hello", "command": "echo", "args": ["hello"]}'"""
            " $AT/apps/$APP/jobs",
        )
    )
    site.variables["JOB"] = job["id"]
    typed(site, screen, "ask -X PUT $AT/apps/$APP/jobs/$JOB/start")
    site.shell("until ask $AT/apps/$APP/jobs/$JOB | grep -q '\"stopped\"'; do sleep 0.3; done")
    typed(site, screen, "ask $AT/apps/$APP/jobs/$JOB/out")


def native(site: GatewaySite, screen: Screen) -> None:
    user = site.people[-1]
    screen.chapter("The gateway's own command line: submit once, wait, read what a job writes")
    scopes = "cluster:read,jobs:read,jobs:submit,jobs:cancel,files:read,history:read"
    site.token = site.gateway(
        *("token", "make", "--name", "demo", "--scopes", scopes, "--run-as", user),
        *("--expires", "1d"),
    ).out
    site.variables |= {"GATEWAY_URL": site.url, "GATEWAY_TOKEN": site.token, "FOR": user}
    site.variables["HOME_OF"] = f"{site.directory}/home/{user}"
    _tell_shells(site, f'slurm-gateway() {{ {site.client} "$@"; }}')
    (site.directory / "job.sh").write_text(f"#!/bin/sh\n{SCRIPT}\n")
    screen.say(f"job.sh is: {SCRIPT}")
    line = "slurm-gateway submit --key run-1 --user $FOR --chdir $HOME_OF job.sh"
    job = typed(site, screen, line).split()[0]
    if typed(site, screen, line).split()[0] != job:
        raise GatewayFailed("the same key made a second job")
    screen.say("The same key is the same job, whatever is lost on the way.")
    site.variables["JOB"] = job
    typed(site, screen, "slurm-gateway tail -f $JOB")
    typed(site, screen, "slurm-gateway wait $JOB")


def restapi(site: GatewaySite, screen: Screen) -> None:
    screen.chapter("Slurm RestAPI's clients: the history, with a comparator")
    line = 'curl -sS "$AT/history?jobid<=$JOB"'
    site.shell(f"until {line} | grep -q job_name; do sleep 0.3; done")
    found = json.loads(typed(site, screen, line, cut=160))["data"]
    rows = found if isinstance(found, list) else list(found.values())
    screen.table(COLUMNS, [[str(row.get(each, "")) for each in COLUMNS] for row in rows])


def typed(site: GatewaySite, screen: Screen, line: str, *, cut: int = 600) -> str:
    """Show a line and the beginning of its answer; return all of it."""
    answers: list[str] = []

    def run() -> Run:
        done = site.shell(line)
        answers.append(done.out)
        is_long = len(done.out) > cut
        return replace(done, out=f"{done.out[:cut]} ..." if is_long else done.out)

    screen.line(line, run)
    return answers[0]


def _call_it_ask(site: GatewaySite, screen: Screen, command: str) -> None:
    """Let a long beginning have a short name."""
    _tell_shells(site, f'ask() {{ {command} "$@"; }}')
    screen.say(f"`ask` is {command}")


def _tell_shells(site: GatewaySite, text: str) -> None:
    """Shells of the tour read a file first."""
    file = site.directory / "told"
    file.write_text(f"{text}\n")
    site.variables["BASH_ENV"] = str(file)
