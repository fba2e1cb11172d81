"""slurm-controller, built and started as the original's document says, on a real Slurm."""

import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from sandbox.kube.authority import Authority
from sandbox.slurm import Cluster
from tests.e2e.gateway.controller_site import ControllerSite
from tests.e2e.gateway.gateway import Answer, Gateway
from tests.fixtures_slurm import skip_here
from tests.page import read_blocks
from tests.places import PROJECT
from tests.sandbox.processes import eventually
from waldur_slurm.gateway.controller.arguments import HOST, parse

PAGE = PROJECT / "docs" / "operator.md"
SECTION = "The slurm-controller"
PATIENCE_S = 60.0
MOO = "#!/bin/sh\necho moo\n"
SLEEP = "#!/bin/sh\n#SBATCH --output=/dev/null\nsleep 600\n"


@pytest.fixture(scope="module")
def site(lab: Cluster, slurm_users: tuple[str, ...]) -> Iterator[ControllerSite]:
    with ControllerSite.make(lab, slurm_users[0]) as made:
        yield made


@pytest.fixture(scope="module")
def running(site: ControllerSite) -> Iterator[Gateway]:
    with site.running() as started:
        yield started


def hand_in(running: Gateway, script: str, **headers: str) -> Answer:
    return running.ask("POST", "/sbatch", json.dumps({"command": script}).encode(), headers)


def first_row(running: Gateway, job: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = running.get(f"/sacct/{job}").json
    return rows[0]


def test_a_script_is_followed_to_its_end_and_its_output_is_read(
    site: ControllerSite, running: Gateway
) -> None:
    answer = hand_in(running, MOO)
    job = answer.body.decode()

    assert answer.status == 200
    assert first_row(running, job)["id"] == job
    assert eventually(lambda: first_row(running, job)["state"] == "COMPLETED", PATIENCE_S)
    assert first_row(running, job)["exit_code"] == 0
    read = running.get(f"/open?path=slurm-{job}.out")
    assert (read.status, read.body) == (200, b"moo\n")
    assert (site.checkout / f"slurm-{job}.out").owner() == site.user
    assert site.owner(job) == site.user


def test_the_lines_of_the_page_lead_to_a_moo(site: ControllerSite, running: Gateway) -> None:
    build, asked, far = (block.lines for block in read_blocks(PAGE) if block.section == SECTION)
    job = site.type(asked[0].replace("8080", str(running.port))).stdout
    sacct, opened, scancel = (
        line.replace("8080", str(running.port)).replace("4711", job) for line in asked[1:]
    )

    assert json.loads(site.type(sacct).stdout)[0]["id"] == job
    assert eventually(lambda: first_row(running, job)["state"] == "COMPLETED", PATIENCE_S)
    assert site.type(opened).stdout == "moo\n"
    assert site.type(scancel).returncode == 0
    assert build[0] == "make bin/slurm-controller"
    assert site.type(build[1]).stdout.startswith("usage: slurm-controller")
    assert [parse(line.split()[1:]).host for line in (build[2], *far)] == [HOST, HOST, "192.0.2.10"]


def test_a_job_that_failed_says_so_with_its_code(running: Gateway) -> None:
    job = hand_in(running, MOO + "exit 3\n").body.decode()

    assert eventually(lambda: first_row(running, job)["state"] == "FAILED", PATIENCE_S)
    told = first_row(running, job)
    assert told["exit_code"] == 3
    assert told["finished_at"] >= told["started_at"] > "2000"


def test_a_job_is_cancelled_and_once_more_is_no_error(running: Gateway) -> None:
    job = hand_in(running, SLEEP).body.decode()

    first = running.get(f"/scancel/{job}")

    assert (first.status, first.body) == (200, b"")
    assert eventually(lambda: first_row(running, job)["state"] == "CANCELLED", PATIENCE_S)
    assert running.get(f"/scancel/{job}").status == 200


@pytest.mark.parametrize("path", ["/etc/passwd", "../tools/sbatch", "state", "no-such-file"])
def test_files_below_its_folder_are_read_and_no_others(running: Gateway, path: str) -> None:
    expected = {"state": 500, "no-such-file": 404}.get(path, 403)

    assert running.get(f"/open?path={path}").status == expected


def test_what_the_original_refused_is_refused_alike(running: Gateway) -> None:
    assert running.ask("POST", "/sbatch", b"{").status == 400
    assert running.ask("POST", "/sbatch", b'{"command": ""}').status == 400
    assert hand_in(running, "#!/bin/sh\n#SBATCH --partition=none\n").status == 500
    assert hand_in(running, "no script\n").status == 500
    assert running.get("/open").status == 400
    assert running.ask("POST", "/srun", b"{}").status == 501


def test_nothing_but_the_five_routes_is_there(running: Gateway) -> None:
    for path in ("/", "/healthz", "/metrics", "/api/v1/jobs", "/queue", "/ui", "/docs"):
        assert running.get(path).status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"User-Agent": "Mozilla/5.0"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Authorization": "Bearer sgw_abcdefgh_no"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_neither_a_browser_nor_who_is_handed_on_nor_a_wrong_token_is_let_in(
    running: Gateway, headers: dict[str, str]
) -> None:
    answer = hand_in(running, SLEEP, **headers)

    assert answer.status in (401, 403)


def test_root_is_refused_with_what_to_do(site: ControllerSite) -> None:
    done = site.launcher(user="").run()

    assert done.returncode == 78
    assert "this is root, and jobs would be root's" in done.stderr
    assert "start it as an account of its own" in done.stderr


def test_a_port_that_is_taken_is_said_and_may_be_tried_later(
    site: ControllerSite, running: Gateway
) -> None:
    other = ("-port", str(running.port), "-state", str(site.checkout / "other"))
    done = site.launcher(*other).run()

    assert done.returncode == 75
    assert f"cannot listen on port {running.port}" in done.stderr


@pytest.fixture(scope="module")
def certificate(site: ControllerSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys = tmp_path_factory.mktemp("keys")
    Authority(keys).sign("served", "slurm-controller", at=("127.0.0.1", "0.0.0.0"))  # noqa: S104 - a name
    (site.checkout / "tls.pem").write_bytes(
        b"".join(path.read_bytes() for path in (keys / "served.crt", keys / "served.key"))
    )
    return keys / "authority.crt"


def test_other_machines_are_let_in_by_tls_and_a_token_alone(
    site: ControllerSite, certificate: Path
) -> None:
    state = ("-state", str(site.checkout / "far"))
    token = site.launcher("-token", "pods", *state).run().stdout.strip()
    trust = ssl.create_default_context(cafile=str(certificate))
    addresses = site.type("hostname -I").stdout.split()
    if not addresses:
        skip_here("NO ADDRESS BUT LOOPBACK HERE, so this promise was not tested")
    at = addresses[0]
    with site.running("-host", at, "-certificate", "tls.pem", *state) as far:
        trust.check_hostname = False

        def asked(**headers: str) -> int:
            with closing(HTTPSConnection(at, far.port, timeout=60, context=trust)) as connection:
                body = json.dumps({"command": SLEEP})
                connection.request("POST", "/sbatch", body, headers)
                with closing(connection.getresponse()) as response:
                    return response.status

        assert asked() == 401
        assert asked(Authorization=f"Bearer {token}") == 200
