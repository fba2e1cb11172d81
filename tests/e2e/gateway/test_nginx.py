"""The block that ships for nginx, in a real one: what clients type arrives as it was typed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.gateway import Gateway
from tests.e2e.program import eventually
from tests.fixtures_slurm import IN_CI, require
from tests.places import PROJECT

NAME = "slurm.example.org"
BLOCK = PROJECT / "examples" / "gateway" / "sample-block-nginx.conf"
AROUND = """\
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
access_log off;
client_body_temp_path {directory}/body;
proxy_temp_path {directory}/proxy;
fastcgi_temp_path {directory}/fastcgi;
uwsgi_temp_path {directory}/uwsgi;
scgi_temp_path {directory}/scgi;
{block}
}}
"""


def block_for(port: int, gateway: int) -> str:
    """The block as it ships, but for the certificate, which no test has, and the ports."""
    text = BLOCK.read_text(encoding="utf-8")
    text = re.sub(r"^ *ssl_.*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    return text.replace("127.0.0.1:5000", f"127.0.0.1:{gateway}")


@contextmanager
def nginx(program: str, directory: Path, gateway: Gateway) -> Iterator[Gateway]:
    claimed = claim_ports(1)
    config = directory / "nginx.conf"
    block = block_for(claimed.first, gateway.port)
    config.write_text(AROUND.format(directory=directory, block=block), encoding="utf-8")
    try:
        with subprocess.Popen([program, "-c", config, "-p", directory]) as process:
            try:
                behind = Gateway(gateway.program, gateway.daemon, claimed.first)
                eventually(lambda: _answers(behind), "nginx answers")
                yield behind
            finally:
                process.terminate()
    finally:
        claimed.claim.close()


def _answers(gateway: Gateway) -> bool:
    try:
        return gateway.get("/healthz", host=NAME).status == 200
    except OSError:
        return False


@pytest.fixture
def behind(new_gateway: NewGateway, tmp_path: Path) -> Iterator[Gateway]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    require([] if program else ["nginx"], in_ci=IN_CI)
    assert program
    told = {"GATEWAY_TRUSTED_PROXIES": "127.0.0.1", "GATEWAY_HOSTS": NAME}
    with new_gateway(**told) as gateway, nginx(program, tmp_path, gateway) as proxied:
        yield proxied


def test_a_comparator_reaches_the_gateway_as_it_was_typed(
    behind: Gateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    numbers = [
        lab.submit(slurm_users[0], "physics", "true", "--output=/dev/null") for _ in range(2)
    ]

    def found(query: str) -> list[int]:
        answer = behind.get(f"/history?{query}", host=NAME)
        return [job["id_job"] for job in answer.json["data"]]

    eventually(lambda: {*numbers} <= {*found("limit=100")}, "the accounting has heard")
    for sign in ("<=", "%3C%3D"):
        assert numbers[0] in found(f"limit=100&jobid{sign}{numbers[0]}")
        assert numbers[1] not in found(f"limit=100&jobid{sign}{numbers[0]}")
    assert found(f"jobid>={numbers[1]}&jobid<={numbers[1]}") == [numbers[1]]


def test_events_come_through_as_they_happen(
    behind: Gateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    with behind.opened("GET", "/api/v1/events", headers={"host": NAME}) as stream:
        assert stream.status == 200
        number = lab.submit(slurm_users[0], "physics", "true", "--output=/dev/null")
        while f'"{number}"' not in (line := stream.readline().decode()):
            assert line, "the stream ended before the job's event"
