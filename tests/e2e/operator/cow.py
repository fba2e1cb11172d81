"""A job of Ann's, and a companion of it: as a process of this machine, or what a pod needs."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.fixtures_hand import ANN, HandSite
from tests.places import PROJECT
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.operator.model.collected import Collected, read_message
from waldur_slurm.operator.model.order import ORDER, TOKEN, Order
from waldur_slurm.operator.model.slurm_job import When

PATIENCE_S = 120
LONGEST_S = 1200
"""For 5 GB, on a machine that has much else to do."""
MIB = 1024 * 1024
SCOPES = ("output:read", "files:read", "jobs:read")


@dataclass
class Companion:
    """How one is started, and what it left."""

    place: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def shown(self) -> bytes:
        return (self.place / "shown").read_bytes()

    @property
    def said(self) -> str:
        return (self.place / "said").read_text()

    @property
    def told(self) -> Collected:
        found = read_message((self.place / "last-words").read_text())
        assert found
        return found

    def claimed(self) -> dict[str, bytes]:
        below = self.place / "claim"
        return {
            str(each.relative_to(below)): each.read_bytes()
            for each in below.rglob("*")
            if each.is_file()
        }

    @contextmanager
    def running(self, *before: str) -> Iterator[subprocess.Popen[bytes]]:
        """`before` is what starts it, if it is not started at once."""
        argv = [*before, sys.executable, "-m", "waldur_slurm.operator.main", "companion"]
        argv += [f"--told={self.place}/told", f"--into={self.place}/claim"]
        argv += [f"--message={self.place}/last-words"]
        environ = {"PATH": os.defpath, "PYTHONPATH": str(PROJECT)}
        with (
            (self.place / "shown").open("wb") as shown,
            (self.place / "said").open("wb") as said,
            subprocess.Popen(argv, env=environ, stdout=shown, stderr=said) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def run(self, *before: str) -> int:
        with self.running(*before) as process:
            return process.wait(LONGEST_S)


@dataclass
class Cow:
    """A job of Ann's in a directory of its own, and the gateway that it was handed in to."""

    acting: ActingGateway
    client: Gateway
    home: Path
    job_id: str

    def companion(self, place: Path, pattern: str = "", when: When = When.SUCCEEDED) -> Companion:
        for name in ("told", "claim"):
            (place / name).mkdir(parents=True)
        url = f"http://127.0.0.1:{self.acting.port}"
        order = Order(url, self.job_id, "cow", pattern, when)
        (place / "told" / ORDER).write_text(order.to_text())
        token = self.client.token_for(self.job_id, SCOPES, timedelta(hours=1))
        (place / "told" / TOKEN).write_text(token.token)
        return Companion(place)


@dataclass
class Pasture:
    """A gateway that stays for all tests of a module, and goes away where one of them wants it."""

    site: ActingSite
    acting: ActingGateway
    stack: ExitStack

    @classmethod
    @contextmanager
    def opened(cls, lab: Cluster, hand: HandSite) -> Iterator["Pasture"]:
        hand.write_conf()
        site = ActingSite.make(lab, hand)
        try:
            with ExitStack() as stack:
                yield cls(site, stack.enter_context(site.running()), stack)
        finally:
            lab.must("scancel", f"--user={ANN}")
            site.close()
            shutil.rmtree(hand.home(ANN) / "pasture", ignore_errors=True)

    def lose_gateway(self) -> None:
        """As kill -9 of it."""
        self.acting.daemon.process.kill()
        self.acting.daemon.process.wait()

    def bring_gateway_back(self) -> None:
        """At the same address, remembering what it remembered."""
        listen = f"127.0.0.1:{self.acting.port}"
        self.stack.enter_context(self.site.running(GATEWAY_LISTEN=listen))

    def folder(self) -> Path:
        """Make a directory of Ann's, for one job."""
        pasture = self.site.hand.home(ANN) / "pasture"
        for made in (pasture, pasture / secrets.token_hex(4)):
            made.mkdir(exist_ok=True)
            shutil.chown(made, ANN)
        return made

    def hand_in(self, script: str, home: Path | None = None, **options: str) -> Cow:
        home = home or self.folder()
        client = Gateway(f"http://127.0.0.1:{self.acting.port}", self.site.token())
        given = {"account": "physics", "mem": "10", "chdir": str(home), **options}
        placed = client.submit(
            f"#!/bin/sh\n{script}\n", key=secrets.token_hex(8), user=ANN, options=given
        )
        return Cow(self.acting, client, home, placed.job_id)


def put(home: Path, name: str, content: bytes) -> None:
    """Write a file of Ann's, a while ago."""
    path = home / name
    path.write_bytes(content)
    settle(path)


def settle(path: Path) -> None:
    shutil.chown(path, ANN)
    os.utime(path, (1_790_000_000, 1_790_000_000))
