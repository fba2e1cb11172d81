"""Loading components twice: the second time Waldur sees no write."""

from tests.contract_waldur.sites import ServedSite
from waldur_slurm.agent.components_sync import Action, apply_components, plan_components
from waldur_slurm.agent.tres_file import parse_tres_file

FILE = b"""
cpu: {limit: 0, measured_unit: k-Hours, accounting_type: limit, label: Cores}
gres/gpu: {limit: 400, measured_unit: k-Hours, accounting_type: usage, label: GPU}
gres/gpu:a100: {limit: 4, measured_unit: h, accounting_type: limit, label: A100, min_value: 0}
"""


def test_the_second_load_writes_nothing(served: ServedSite) -> None:
    wanted = parse_tres_file(FILE, "file")
    seen: list[list[Action]] = []
    for _ in range(2):
        served.waldur.forget_requests()
        changes = plan_components(served.market.read_offering().components, wanted)
        writes = apply_components(changes, served.market)
        assert len(served.waldur.writes()) == writes
        seen.append([change.action for change in changes])
    assert seen == [[Action.UPDATE, Action.CREATE, Action.CREATE], [Action.UNCHANGED] * 3]
    held = {component["type"]: component for component in served.waldur.components()}
    assert held["cpu"]["limit_amount"] == 0
    assert {"gres/gpu", "gres/gpu:a100", "mem"} <= held.keys()
