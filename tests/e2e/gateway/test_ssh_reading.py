"""A gateway on a host without Slurm, as in a container: it reads and acts over one real sshd."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pwd import getpwnam
from threading import Event, Thread
from uuid import uuid4

import pytest

from sandbox.slurm.ports import claim_ports
from sandbox.ssh import SshServer
from tests.e2e.gateway.acting import SLEEP, ActingGateway, ActingSite
from tests.e2e.gateway.gateway import listings_asked
from tests.fixtures_hand import ANN, CALLER
from tests.sandbox.processes import eventually

SOON_S = 30.0
LATER_S = 90.0
READS = "cluster:read,jobs:read:all,history:read,accounts:read"
SCOPES = f"{READS},jobs:submit,jobs:cancel,files:read"


SMALL_TASK = {
    "job_name": "far",
    "time": 30,
    "nodes": 1,
    "ntasks_per_node": 1,
    "cpus_per_task": 1,
    "mem": 10,
}


@dataclass(frozen=True)
class Portal:
    """The login host is the test's own sshd; the gateway knows nothing of Slurm but by it."""

    site: ActingSite
    sshd: SshServer

    def running(self, **changes: str) -> AbstractContextManager[ActingGateway]:
        key = self.site.place / "portal_key"
        shutil.copy(self.sshd.user_key, key)
        shutil.chown(key, CALLER)
        key.chmod(0o600)
        told = {
            "GATEWAY_SSH_PORT": str(self.sshd.port),
            "GATEWAY_SSH_KNOWN_HOSTS": str(self.sshd.known_hosts),
            "SSH_PRIVATE_KEY_PATH": str(key),
            "GATEWAY_COMMAND_TIMEOUT": "4s",
            "GATEWAY_ANONYMOUS_SCOPES": READS,
        }
        told |= changes
        return self.site.running("ssh", (), "mortal", hides_slurm=True, **told)


@pytest.fixture
def portal(acting_site: ActingSite, sshd: SshServer) -> Portal:
    return Portal(acting_site, sshd)


def test_without_slurm_here_jobs_are_listed_handed_in_read_and_cancelled_over_ssh(
    portal: Portal,
) -> None:
    token, home = portal.site.token(ANN, scopes=SCOPES), portal.site.hand.home(ANN)
    options = {"chdir": str(home), "output": "said", "job-name": "far"}
    with portal.running() as gateway:
        made = gateway.submit(token, "k", options=options, script="#!/bin/sh\nid -un\nsleep 600\n")
        assert made.status == 201, made.body
        number = made.json["job_id"]
        job = f"/api/v1/jobs/{number}"

        assert eventually(lambda: number in numbers(gateway), SOON_S)
        assert eventually(
            lambda: gateway.send(token, "GET", f"{job}/output").body == b"wsat-ann\n", SOON_S
        )
        assert len(gateway.get("/api/v1/nodes").json["nodes"]) > 0
        cancelled = gateway.send(token, "DELETE", job)
        assert cancelled.status in (200, 202, 204), cancelled.body
        assert eventually(
            lambda: "CANCELLED" in str(gateway.get(f"/api/v1/history?job_id={number}").body), SOON_S
        )
        assert (home / "said").stat().st_uid == getpwnam(ANN).pw_uid


def test_slurm_proxys_clients_are_served_by_a_host_without_slurm(portal: Portal) -> None:
    """By its own `.env`, which names who it logs in as; the page's lines are set beside it."""
    home, claimed = portal.site.hand.home(ANN), claim_ports(2)
    place = f"{home}/task"
    dotenv = portal.site.place / ".env"
    port = claimed.first
    dotenv.write_text(f"FLASK_APP_PORT={port}\nSSH_HOSTNAME=127.0.0.1\n")
    shutil.chown(dotenv, CALLER)
    theirs = f"10.9.0.0/16 may jobs:read:all jobs:submit monitor:write as {ANN}"
    lets = f"{theirs}; 127.0.0.1 may jobs:read:all"
    partition = portal.site.lab.must("sinfo", "--noheader", "--format=%R").split()[0]
    task = {
        "uuid": str(uuid4()),
        "name": "generic",
        "username": ANN,
        "cwd": str(home),
        "cmd": "echo",
        "params": ["far"],
        "dirs": {"parent": place, **dict.fromkeys(("input", "output", "error"), f"{place}/out")},
        "slurm": {**SMALL_TASK, "partition": partition, "output": "said", "error": "said.wrong"},
        "notification": {"methods": [], "params": {}},
    }
    told = {"DOTENV_FILE": str(dotenv), "GATEWAY_TRUSTED_NETWORKS": lets}
    told["GATEWAY_TRUSTED_PROXIES"] = "127.0.0.1"
    told["GATEWAY_LISTEN"] = f"127.0.0.1:{port}=proxy,127.0.0.1:{port + 1}"
    with claimed.claim, portal.running(**told) as gateway:
        proxy, native = replace(gateway, port=port), replace(gateway, port=port + 1)
        asker = {"X_Forwarded_For": "10.9.8.7", "Content_Type": "application/json"}
        made = proxy.ask("POST", "/submit", json.dumps({"task": task}).encode(), asker)

        assert made.status == 200, made.body
        said = home / "task" / "out" / "said"
        assert eventually(lambda: said.exists() and said.read_text() == "far\n", SOON_S)
        assert str(made.json["slurm_job_id"]) in numbers(native)


def test_a_frozen_line_leaves_the_last_picture_marked_and_what_comes_after_is_read_again(
    portal: Portal,
) -> None:
    token = portal.site.token(ANN, scopes=SCOPES)
    with portal.running() as gateway:
        made = gateway.submit(token, "frozen")
        assert made.status == 201, made.body
        assert eventually(lambda: made.json["job_id"] in numbers(gateway), SOON_S)

        portal.sshd.freeze()
        assert eventually(lambda: "warning" in gateway.get("/api/v1/jobs").headers, LATER_S)
        assert made.json["job_id"] in numbers(gateway)
        began = time.monotonic()
        with ThreadPoolExecutor(12) as many:
            answers = list(many.map(lambda _: gateway.get("/api/v1/nodes").status, range(24)))
        assert set(answers) == {503}
        assert time.monotonic() - began < LATER_S
        assert gateway.get("/readyz").status == 503
        assert gateway.get("/healthz").status == 200

        portal.sshd.end()
        portal.sshd.start()
        assert eventually(lambda: "warning" not in gateway.get("/api/v1/jobs").headers, LATER_S)
        assert made.json["job_id"] in numbers(gateway)
        assert eventually(lambda: gateway.get("/api/v1/nodes").status == 200, SOON_S)
        assert gateway.submit(token, "after").status == 201


def test_connections_that_are_killed_are_made_again(portal: Portal) -> None:
    token = portal.site.token(ANN, scopes=SCOPES)
    with portal.running() as gateway:
        assert gateway.submit(token, "before").status == 201
        assert gateway.get("/api/v1/jobs").status == 200

        assert portal.site.kill_ssh()

        assert eventually(lambda: gateway.submit(token, "behind").status in (200, 201), SOON_S)
        assert eventually(lambda: "warning" not in gateway.get("/api/v1/jobs").headers, SOON_S)


def test_however_many_ask_a_reading_is_one_command_over_one_connection(portal: Portal) -> None:
    with portal.running() as gateway:
        assert gateway.get("/api/v1/jobs").status == 200
        before, began = listings_asked(portal.site.lab), time.monotonic()
        answers = set[int]()
        with watched(portal.site) as seen, ThreadPoolExecutor(8) as many:
            while not seen.clients and time.monotonic() - began < LATER_S:
                answers |= {*many.map(lambda _: gateway.get("/api/v1/jobs").status, range(400))}
        passed = time.monotonic() - began

        assert answers == {200}
        assert listings_asked(portal.site.lab) - before <= passed + 2
        assert seen.masters == 1
        assert seen.clients == 1


def test_a_login_host_that_is_away_costs_the_start_nothing_where_the_cluster_is_named(
    portal: Portal,
) -> None:
    portal.sshd.end()
    with portal.running(GATEWAY_CLUSTERS="lab") as gateway:
        silent = gateway.get("/api/v1/jobs")
        assert silent.status == 503
        assert "Connection refused" in silent.json["detail"]
        token = portal.site.token(ANN, scopes=SCOPES)
        refused = gateway.submit(token, "away", script=SLEEP)
        assert refused.status == 503
        assert "who wsat-ann is is not known" in refused.json["detail"]

        portal.sshd.start()
        assert eventually(lambda: gateway.get("/api/v1/jobs").status == 200, SOON_S)
        assert eventually(lambda: gateway.submit(token, "away").status == 201, SOON_S)


def numbers(gateway: ActingGateway) -> set[str]:
    """Return whose number the gateway tells; of what it cannot read in time, it tells none."""
    return {job["job_id"] for job in gateway.get("/api/v1/jobs?limit=0").json.get("jobs", ())}


@dataclass
class Seen:
    """How many of the gateway's ssh processes there were at once, at most."""

    masters: int = 0
    clients: int = 0

    def look(self, site: ActingSite, ended: Event) -> None:
        while not ended.wait(0.02):
            found = [argv for _, argv in site.ssh_processes()]
            masters = sum("[mux]" in argv or " -M " in argv for argv in found)
            self.masters = max(self.masters, masters)
            self.clients = max(self.clients, len(found) - masters)


@contextmanager
def watched(site: ActingSite) -> Iterator[Seen]:
    seen, ended = Seen(), Event()
    thread = Thread(target=seen.look, args=[site, ended])
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
