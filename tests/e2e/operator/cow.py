"""A job of Ann's, and a companion of it: as a process of this machine, or what a pod needs."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.fixtures_hand import ANN
from tests.places import PROJECT
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.operator.model.collected import Collected, read_message
from waldur_slurm.operator.model.order import ORDER, TOKEN, Order
from waldur_slurm.operator.model.slurm_job import When

PATIENCE_S = 120
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
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        argv = [sys.executable, "-m", "waldur_slurm.operator.main", "companion"]
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

    def run(self) -> int:
        with self.running() as process:
            return process.wait(PATIENCE_S)


@dataclass
class Cow:
    """A job of Ann's in her home, and the gateway that it was handed in to."""

    acting: ActingGateway
    client: Gateway
    home: Path
    job_id: str

    def companion(
        self, place: Path, pattern: str = "", when: When = When.SUCCEEDED, port: int = 0
    ) -> Companion:
        for name in ("told", "claim"):
            (place / name).mkdir(parents=True)
        url = f"http://127.0.0.1:{port or self.acting.port}"
        order = Order(url, self.job_id, "cow", pattern, when)
        (place / "told" / ORDER).write_text(order.to_text())
        token = self.client.token_for(self.job_id, SCOPES, timedelta(hours=1))
        (place / "told" / TOKEN).write_text(token.token)
        return Companion(place)


def hand_in(acting: ActingGateway, site: ActingSite, script: str, **options: str) -> Cow:
    home = site.hand.home(ANN)
    client = Gateway(f"http://127.0.0.1:{acting.port}", site.token())
    given = {"account": "physics", "mem": "10", "chdir": str(home), **options}
    placed = client.submit(
        f"#!/bin/sh\n{script}\n", key=secrets.token_hex(8), user=ANN, options=given
    )
    return Cow(acting, client, home, placed.job_id)


def put(home: Path, name: str, content: bytes) -> None:
    """Write a file of Ann's, a while ago."""
    path = home / name
    path.write_bytes(content)
    shutil.chown(path, ANN)
    os.utime(path, (1_790_000_000, 1_790_000_000))
