"""`sandbox/setup.sh` on machines that have a Slurm of their own: a container stands for each."""

import uuid
from collections.abc import Iterator

import pytest

from sandbox.docker.cluster import OWNER_LABEL, ContainerCluster
from sandbox.docker.command import docker
from sandbox.docker.images import RELEASES
from sandbox.docker.owner import Owner
from sandbox.slurm import Completed
from tests.places import PROJECT

SCRIPT = PROJECT / "sandbox" / "setup.sh"
REFUSED = "which the sandbox must not touch"
LIFETIME_S = "300"

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture
def machine() -> Iterator[ContainerCluster]:
    """Slurm is installed and configured there, nothing runs, and nothing can be added."""
    release = RELEASES["22.05"]
    name = f"wsat-{uuid.uuid4().hex[:12]}"
    argv = ("run", "--detach", "--rm", "--no-healthcheck", "--name", name)
    label = f"--label={OWNER_LABEL}={Owner.this_process()}"
    docker(*argv, label, "--entrypoint=sleep", release.tag, LIFETIME_S)
    with ContainerCluster(name, release.slurm) as started:
        started.must("cp", "/bin/false", "/usr/bin/apt-get")
        yield started


def setup(machine: ContainerCluster, *environ: str) -> Completed:
    machine.must("mkdir", "-p", "/srv/project/sandbox")
    docker("cp", str(SCRIPT), f"{machine.container}:/srv/project/sandbox/setup.sh")
    return machine.run("env", *environ, "/srv/project/sandbox/setup.sh", "all")


def test_setup_refuses_where_slurm_runs(container_cluster_22_05: ContainerCluster) -> None:
    packages = container_cluster_22_05.must("dpkg-query", "--show")
    refusal = setup(container_cluster_22_05)
    assert refusal.code == 1
    assert REFUSED in refusal.err
    assert " runs here (process " in refusal.err
    assert "SANDBOX_I_KNOW=1" in refusal.err
    assert container_cluster_22_05.must("dpkg-query", "--show") == packages


def test_setup_refuses_where_slurm_is_configured(machine: ContainerCluster) -> None:
    refusal = setup(machine)
    assert refusal.code == 1
    assert "Slurm is configured here (/etc/slurm/slurm.conf)" in refusal.err


def test_setup_refuses_to_complete_a_slurm_that_it_did_not_install(
    machine: ContainerCluster,
) -> None:
    forget_configuration(machine)
    machine.must("dpkg", "--purge", "--force-depends", "slurmdbd")
    refusal = setup(machine)
    assert refusal.code == 1
    assert "slurmctld slurmd slurm-client" in refusal.err
    assert "is installed and slurmdbd is not" in refusal.err


def test_setup_refuses_where_slurm_was_built_by_hand(machine: ContainerCluster) -> None:
    forget_configuration(machine)
    machine.must("dpkg", "--purge", "--force-depends", "slurmdbd")
    machine.must("install", "-m", "755", "/bin/true", "/usr/local/sbin/slurmdbd")
    refusal = setup(machine)
    assert refusal.code == 1
    assert "/usr/local/sbin/slurmdbd is here and not from Debian's package" in refusal.err


@pytest.mark.parametrize(("conf", "is_refused"), [("/opt/site", True), ("/srv/lab", False)])
def test_a_cluster_of_the_sandbox_is_not_taken_for_the_machines_own(
    machine: ContainerCluster, conf: str, is_refused: bool
) -> None:
    forget_configuration(machine)
    machine.must("sh", "-c", "mkdir /srv/lab; touch /srv/lab/cluster.json")
    machine.must("cp", "/bin/sleep", "/run/slurmctld")
    stand_in = ("env", f"SLURM_CONF={conf}/etc/slurm.conf", "/run/slurmctld", LIFETIME_S)
    docker("exec", "--detach", machine.container, *stand_in)
    assert ("slurmctld runs here" in setup(machine).err) == is_refused


def test_a_person_who_knows_goes_past_the_refusal(machine: ContainerCluster) -> None:
    beyond = setup(machine, "SANDBOX_I_KNOW=1")
    assert REFUSED not in beyond.err
    assert "setup: installing python3" in beyond.out
    assert beyond.code == 1


def forget_configuration(machine: ContainerCluster) -> None:
    machine.must("sh", "-c", "rm /etc/slurm/*.conf")
