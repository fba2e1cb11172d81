"""The program as a person types it: the plan, one cycle, and the plan again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from tests.e2e.pull_site import LiveSite
from tests.fixtures_waldur import StartWaldur, start_waldur
from waldur_slurm.agent.report.paper import Kind

__all__ = ["start_waldur"]

ANN = "wsat-ann"
TRES = """
cpu: {limit: 16, measured_unit: k-Hours, accounting_type: usage, label: CPU, unit_factor: 60000}
gres/gpu: {component: gpu, limit: 1, measured_unit: hours, accounting_type: limit, label: GPU,
  unit_factor: 60}
"""


class Typed:
    """What a person types on the head node, with the environment of the unit file."""

    def __init__(self, site: LiveSite, directory: Path) -> None:
        tres = directory / "components.yaml"
        tres.write_text(TRES)
        self.audit = directory / "audit.log"
        self._environ = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            **site.cluster.environ,
            "WALDUR_API_URL": site.waldur.url,
            "WALDUR_API_TOKEN": site.waldur.tokens.provider,
            "WALDUR_SYNC_DIRECTION": "pull",
            "WALDUR_OFFERING_UUID": site.waldur.offering_uuid,
            "SLURM_DEPLOYMENT_TYPE": "native",
            "SLURM_TRES_CONFIG_PATH": str(tres),
            "AGENT_STATE_DIR": str(directory / "state"),
            "AGENT_AUDIT_LOG": str(self.audit),
        }

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "waldur_slurm.main", *words],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def site(
    slurm_cluster: Cluster, slurm_users: tuple[str, ...], start_waldur: StartWaldur, tmp_path: Path
) -> LiveSite:
    return LiveSite(slurm_cluster, start_waldur("today"), tmp_path / "unused")


def test_plan_once_plan(site: LiveSite, tmp_path: Path) -> None:
    typed = Typed(site, tmp_path)
    project = site.make_project("Physics", ANN)
    order = site.waldur.order_create(project, "alloc", {"gpu": 2})

    planned = typed("plan")
    assert planned.returncode == Kind.CHANGES.value, planned.stderr
    assert f"approve order {order.uuid}" in planned.stdout
    assert f"report order {order.uuid} done" in planned.stdout
    assert site.waldur.writes() == []
    assert site.order_state(order) == "pending-provider"

    for _ in range(2):
        assert typed("once").returncode == 0
    assert site.order_state(order) == "done"
    assert site.account(order.resource_uuid).users == {ANN}

    again = typed("plan", "--json")
    assert again.returncode == Kind.NOTHING.value
    assert json.loads(again.stdout)["steps"] == []

    idle = typed("once")
    assert idle.returncode == 0
    assert "account" not in idle.stderr
    records = [json.loads(line) for line in typed.audit.read_text().splitlines()]
    names = [record["event"] for record in records]
    assert names.count("account.added") == 3
    assert "order.done" in names
    assert "user.added" in names

    site.waldur.order_terminate(order.resource_uuid)
    assert typed("once", "--remove-empty-now").returncode == 0
    assert site.is_absent(order.resource_uuid)
