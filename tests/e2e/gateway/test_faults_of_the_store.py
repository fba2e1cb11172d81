"""A gateway whose disk is full, whose store is damaged, or whose store another gateway has.

Each test names the row of docs/gateway-operations.md, *Faults*, that it holds.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.gateway.acting import SCOPES, ActingGateway, ActingSite
from tests.e2e.gateway.gateway import Answer
from tests.e2e.program import eventually
from tests.fixtures_hand import CALLER
from tests.trust.disk import Disk, small_disk
from tests.trust.size import count
from tests.unit.gateway.post.sinks import Relay, relaying

PATIENCE_S = 60.0
ALL_SCOPES = f"{SCOPES},monitor:read,monitor:write"
MAIL = {"email": {"recipient": "ann@example.org"}}
PAGE = 4096
TRY_AGAIN = 75


@pytest.fixture
def acting_site(acting_site: ActingSite) -> ActingSite:
    """Whose programs see what is mounted when they start."""
    return replace(acting_site, starts_anew=True)


@pytest.fixture
def disk(acting_site: ActingSite) -> Iterator[Disk]:
    """A small one for all that the gateway remembers."""
    with small_disk(acting_site.place / "state", "2m") as found:
        shutil.chown(found.place, CALLER)
        found.place.chmod(0o700)
        yield found


def mailing(relay: Relay) -> dict[str, str]:
    return {
        "MONITOR_POLLING_INTERVAL": "1s",
        "GATEWAY_SMTP_FROM": "slurm@example.org",
        "GATEWAY_SMTP_SECURITY": "none",
        "SMTP_PORT": str(relay.port),
        "SMTP_SERVER": "127.0.0.1",
    }


def watch(gateway: ActingGateway, token: str, job: str) -> Answer:
    body = {"job_id": job, "methods": MAIL}
    return gateway.send(token, "POST", "/api/v1/monitors", body)


@pytest.mark.fault("the disk of GATEWAY_STATE_DIR is full")
def test_a_full_disk_stops_what_has_to_be_remembered_and_nothing_is_lost_or_doubled(
    acting_site: ActingSite, disk: Disk
) -> None:
    token = acting_site.token(scopes=ALL_SCOPES)
    with (
        relaying() as relay,
        acting_site.running("sudo", (), "mortal", False, **mailing(relay)) as gateway,
    ):
        first = str(gateway.submit(token, "first").json["job_id"])
        assert watch(gateway, token, first).status == 201
        before = acting_site.jobs_marked("")
        disk.fill()

        refused = gateway.submit(token, "refused")

        assert refused.status == 503, refused.body
        assert refused.json["type"].endswith(":not-now")
        assert "nothing was done" in refused.json["detail"]
        assert "its disk is full; make room there" in refused.json["detail"]
        assert acting_site.jobs_marked("") == before
        assert watch(gateway, token, first).status == 503
        assert gateway.send(token, "GET", f"/api/v1/jobs/{first}").status == 200
        assert gateway.submit(token, "first").json["job_id"] == first
        revoked = acting_site.program().run("token", "revoke", token.split("_")[1])
        assert (revoked.returncode, "make room there" in revoked.stderr) == (1, True)
        acting_site.lab.must("scancel", first)
        eventually(lambda: "monitor.unwritten" in gateway.daemon.log, "it is said", PATIENCE_S)
        assert gateway.daemon.log.count("monitor.unwritten") == 1

        disk.make_room()
        eventually(lambda: len(relay.taken) == 1, "the letter is there", PATIENCE_S)
        made = gateway.submit(token, "refused")
        assert made.status == 201
        assert len(acting_site.jobs_marked("")) == len(before) + 1
        assert gateway.submit(token, "refused").json["job_id"] == made.json["job_id"]
        assert gateway.daemon.stop() == 0
        assert len(relay.taken) == 1
    count("fault of the gateway's host: no room for its store")


@pytest.mark.fault("the disk of GATEWAY_STATE_DIR is full")
def test_a_gateway_that_starts_on_a_full_disk_shows_slurm_and_says_what_it_cannot_do(
    acting_site: ActingSite, disk: Disk
) -> None:
    disk.fill()
    with acting_site.running(GATEWAY_ANONYMOUS_SCOPES="jobs:read:all") as gateway:
        assert gateway.get("/api/v1/jobs").status == 200
        token = gateway.send("sgw_abcdefgh_" + "x" * 43, "GET", "/api/v1/jobs")
        assert token.status == 503, token.body
        disk.make_room()
        made = acting_site.token()
        assert gateway.submit(made).status == 201


def damage(path: Path) -> None:
    """Let the second half of it be nothing."""
    size = path.stat().st_size // PAGE
    with path.open("r+b") as file:
        file.seek(size // 2 * PAGE)
        file.write(bytes((size - size // 2) * PAGE))


@pytest.mark.fault("gateway.sqlite is damaged")
def test_a_damaged_store_is_said_once_and_nothing_of_it_is_served(
    acting_site: ActingSite,
) -> None:
    token = acting_site.token(scopes=ALL_SCOPES)
    store = acting_site.place / "state" / "gateway.sqlite"
    backup = store.read_bytes()
    damage(store)
    before, found = acting_site.jobs_marked(""), store.read_bytes()

    with acting_site.running(GATEWAY_ANONYMOUS_SCOPES="jobs:read:all") as gateway:
        asked = [
            gateway.submit(token, "one"),
            gateway.submit(token, "two"),
            gateway.send(token, "GET", "/api/v1/me"),
            watch(gateway, token, "1"),
        ]
        assert [answer.status for answer in asked] == [503] * 4
        assert gateway.get("/api/v1/jobs").status == 200
        assert gateway.daemon.log.count("store.damaged") == 1
        assert "put a backup in its place" in gateway.daemon.log
        assert "Traceback" not in gateway.daemon.log
        typed = acting_site.program().run("token", "list")
        assert (typed.returncode, "put a backup in its place" in typed.stderr) == (1, True)
        assert gateway.daemon.stop() == 0
    assert acting_site.jobs_marked("") == before
    assert store.read_bytes() == found

    store.write_bytes(backup)
    with acting_site.running() as gateway:
        assert gateway.submit(token, "one").status == 201
    count("fault of the gateway's host: its store is damaged")


@pytest.mark.fault("a second gateway is started on the same GATEWAY_STATE_DIR")
def test_a_second_gateway_on_one_store_says_who_has_it_and_does_not_start(
    acting_site: ActingSite,
) -> None:
    token = acting_site.token()
    with acting_site.running() as gateway:
        second = acting_site.program(port=0).run()

        assert second.returncode == TRY_AGAIN
        first = f"process {gateway.daemon.process.pid} serves 127.0.0.1:{gateway.port} since "
        assert first in second.stderr
        assert "GATEWAY_STATE_DIR of its own" in second.stderr
        assert gateway.submit(token).status == 201
        gateway.daemon.process.kill()
        gateway.daemon.process.wait()
    with acting_site.running() as gateway:
        assert gateway.submit(token).status == 201
    count("second gateway on one store")
