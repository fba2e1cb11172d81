"""`docker-compose up -d` in examples/docker-compose, on two releases of Slurm.

What a test changes of the example is what lets it run beside others: names, the port, labels;
and the interval, so that it ends sooner.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from sandbox.docker.agent import ensure_agent_image
from sandbox.docker.cluster import OWNER_LABEL, remove_abandoned
from sandbox.docker.command import docker
from sandbox.docker.images import RELEASES, ensure_image
from sandbox.docker.owner import Owner
from tests import readme
from tests.fixtures_docker import in_ci
from tests.places import PROJECT

INTO, UP = (shlex.split(line) for line in readme.lines("With docker compose"))
EXAMPLE = PROJECT / INTO[1]
SERVICES = ("slurmctld", "waldur", "service-pull", "service-push")
INTERVAL_S = 12
LIFETIME_S = 600
TOKEN = "9e1132b9616ebfe943ddf632ca32bbb7e1109a32"

# Takes everything away when whoever holds its input is gone, or the time is over.
GUARD = 'timeout "$1" cat >/dev/null; shift; exec "$@" >/dev/null 2>&1'


def compose_program() -> tuple[str, ...]:
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    if docker("compose", "version", check=False).returncode == 0:
        return ("docker", "compose")
    reason = "NO docker-compose HERE, so this promise was not tested: `make setup` installs it"
    if in_ci:
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Site:
    """The example, up and running under a name of its own."""

    compose: tuple[str, ...]
    environ: dict[str, str]
    project: str

    @property
    def slurmctld(self) -> str:
        return f"{self.project}-slurmctld"

    def run(self, *words: str) -> str:
        # A compose that outlived this process would go on making containers.
        argv = ("setpriv", "--pdeathsig", "KILL", *self.compose, *words)
        done = subprocess.run(
            argv,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def container(self, service: str) -> str:
        (found,) = containers_of(self.project, service)
        return found

    def waldur(self, *words: str) -> str:
        """Be a customer, with the command that the example documents."""
        return self.run("exec", "-T", "waldur", "waldur", *words)

    def asked(self, path: str) -> Any:
        """What Waldur answers to the provider."""
        address = docker("port", self.container("waldur"), "80/tcp").stdout.strip()
        answer = requests.get(
            f"http://{address}/api/{path}", headers={"Authorization": f"Token {TOKEN}"}, timeout=10
        )
        answer.raise_for_status()
        return answer.json()

    def slurm(self, *argv: str, user: str = "root") -> str:
        return docker("exec", "--user", user, self.slurmctld, *argv).stdout


@dataclass
class Guarded:
    """Starts sites; each is taken away by a process that outlives this one."""

    place: Path
    guards: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def site(self, release: str) -> Site:
        project = f"wsat{uuid.uuid4().hex[:8]}"
        override = self.place / f"{project}.json"
        override.write_text(json.dumps(_override(project)))
        compose = (
            *(*compose_program(), "--project-name", project),
            *("--file", str(EXAMPLE / "docker-compose.yml"), "--file", str(override)),
        )
        environ = {
            "PATH": os.defpath,
            "HOME": str(self.place),
            "SLURM_RELEASE": release,
            "AGENT_IMAGE": ensure_agent_image(),
            "WALDUR_PORT": "",  # any that is free
        }
        self.guards.append(
            subprocess.Popen(
                ("/bin/sh", "-c", GUARD, "guard", str(LIFETIME_S), *compose, "down", "--volumes"),
                env=environ,
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        )
        return Site(compose, environ, project)

    def end(self) -> None:
        for guard in self.guards:
            guard.communicate(timeout=120)


def _override(project: str) -> dict[str, Any]:
    labels = {OWNER_LABEL: str(Owner.this_process())}
    services: dict[str, dict[str, Any]] = {name: {"labels": labels} for name in SERVICES}
    services["slurmctld"] |= {
        "container_name": f"{project}-slurmctld",
        "environment": {"LIFETIME": LIFETIME_S},
    }
    for name in ("service-pull", "service-push"):
        services[name]["environment"] = {
            "SLURM_CONTAINER_NAME": f"{project}-slurmctld",
            "WALDUR_SYNC_INTERVAL": f"{INTERVAL_S}s",
        }
    return {"services": services}


Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], seconds: float, what: str) -> Found:
    """Return what is found, as soon as it is something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"no {what} within {seconds:g} s"
        time.sleep(0.3)
    return found


def containers_of(project: str, service: str = "") -> list[str]:
    wanted = [f"--filter=label=com.docker.compose.project={project}"]
    if service:
        wanted.append(f"--filter=label=com.docker.compose.service={service}")
    return docker("ps", "--all", "--quiet", *wanted).stdout.split()


def test_what_the_readme_types_is_what_is_typed_here() -> None:
    assert (INTO[0], UP[0], EXAMPLE.is_dir()) == ("cd", "docker-compose", True)


on_two_releases = pytest.mark.parametrize("site", ["22.05", "24.11"], indirect=True)
on_one_release = pytest.mark.parametrize("site", ["22.05"], indirect=True)


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, docker_engine: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    ensure_image(RELEASES[request.param])
    remove_abandoned()
    guarded = Guarded(tmp_path_factory.mktemp("compose"))
    here = guarded.site(request.param)
    try:
        here.run(*UP[1:])
        yield here
    finally:
        guarded.end()
    assert containers_of(here.project) == []


@on_two_releases
def test_an_order_becomes_an_account_in_two_intervals_and_usage_arrives(site: Site) -> None:
    said = site.waldur("create", "physics", "simulation", "--limit", "cpu=1000")
    resource = said.split()[-1]

    account = wait_for(
        lambda: site.asked(f"marketplace-provider-resources/{resource}/")["backend_id"],
        2 * INTERVAL_S,
        "account",
    )
    rows = site.slurm(
        "sacctmgr", "-nP", "show", "assoc", f"account={account}", "format=user,grptresmins"
    ).split()
    assert sorted(row.partition("|")[0] for row in rows) == ["", "wsat-ann", "wsat-bob"]
    assert "cpu=1000" in rows[0]

    job = ("sbatch", "--account", account, "--ntasks=8", "--time=1", "--chdir=/tmp", "--wait")
    site.slurm(*job, "--wrap=sleep 3", user="wsat-ann")
    seconds = site.slurm("sacct", "-aXnP", "--format=elapsedraw", f"--accounts={account}")
    used = pytest.approx(8 * int(seconds) / 60, abs=0.005)

    def is_told() -> bool:
        """What was told while the job ran is less."""
        usages = site.asked(f"marketplace-component-usages/?resource_uuid={resource}")
        return [float(row["usage"]) for row in usages if row["type"] == "cpu"] == [used]

    wait_for(is_told, 2 * INTERVAL_S + 10, "usage of the whole job")


@on_one_release
def test_the_services_are_not_root_and_publish_nothing_but_waldur_on_loopback(site: Site) -> None:
    for service in ("service-pull", "service-push"):
        status = docker("exec", site.container(service), "cat", "/proc/1/status").stdout
        uids = re.search(r"^Uid:\s+(.*)$", status, re.MULTILINE)
        assert uids
        assert uids[1].split() == ["986"] * 4
    published = {service: docker("port", site.container(service)).stdout for service in SERVICES}
    addresses = {text.split()[2].rpartition(":")[0] for text in published.values() if text}
    assert [service for service, text in published.items() if text] == ["waldur"]
    assert addresses == {"127.0.0.1"}


@on_one_release
def test_the_engine_sees_that_the_services_live(site: Site) -> None:
    services = [site.container(service) for service in ("service-pull", "service-push")]

    def are_healthy() -> bool:
        states = docker("inspect", "--format", "{{.State.Health.Status}}", *services).stdout
        return states.split() == ["healthy"] * 2

    wait_for(are_healthy, 90, "healthy services")


@on_one_release
def test_the_documented_commands_bring_the_offering_in_step(site: Site) -> None:
    load = ("run", "--rm", "service-pull", "--load-components")
    assert "CPU-minutes" in site.run(*load)
    assert "CPU-minutes" not in site.run(*load, "--dry-run")


@on_one_release
def test_the_services_end_well_and_at_once_when_stopped(site: Site) -> None:
    services = ("service-pull", "service-push")
    stopped = [site.container(service) for service in services]
    site.run("stop", *services)
    # Docker kills what has not ended by itself after ten seconds, and the code would say so.
    codes = docker("inspect", "--format", "{{.State.ExitCode}}", *stopped).stdout.split()
    assert codes == ["0", "0"]


VICTIM = """
import sys
from pathlib import Path
from tests.e2e.test_compose import Guarded
here = Guarded(Path(sys.argv[1])).site("22.05")
here.run("up", "-d", "waldur")
print(here.project, flush=True)
sys.stdin.read()
"""


def test_a_test_that_is_killed_leaves_no_container(docker_engine: str, tmp_path: Path) -> None:
    victim = subprocess.Popen(
        (sys.executable, "-c", VICTIM, str(tmp_path)),
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert victim.stdout
    project = victim.stdout.readline().strip()
    assert len(containers_of(project)) == 1
    victim.send_signal(signal.SIGKILL)
    victim.communicate()

    wait_for(lambda: not containers_of(project), 60, "end of the containers")
