"""The resource daemon makes nodes agree with what the site says, and changes nothing on silence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.nodes import FakeNodes
from waldur_slurm.operator.config_map import CONFIG
from waldur_slurm.operator.errors import Invalid, Silent
from waldur_slurm.operator.nodes.cycle import ResourceDaemon, Where
from waldur_slurm.operator.nodes.plan import Node
from waldur_slurm.telemetry.events import Event

TWO = "n1: {labels: {cuda: 10.0}, resources: {cpu: 2}}\nn2: {labels: {cuda: 11.0}}\n"


@dataclass
class Site:
    nodes: FakeNodes = field(default_factory=lambda: FakeNodes({n: Node(n) for n in ("n1", "n2")}))
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        where = Where("default", "slurm-config")
        self.daemon = ResourceDaemon(self.nodes, where, self.told.append)

    def say(self, config: str) -> None:
        self.nodes.maps["default", "slurm-config"] = {CONFIG: config}

    def labels(self, node: str) -> Mapping[str, str]:
        prefix = "slurm.sylabs.io/"
        found = self.nodes.nodes[node].labels.items()
        return {name.removeprefix(prefix): value for name, value in found}

    def troubles(self) -> list[object]:
        return [event.fields["what"] for event in self.told if event.name == "node.trouble"]


def settled() -> Site:
    site = Site()
    site.say(TWO)
    assert site.daemon.turn()
    site.told.clear()
    return site


def test_nodes_are_given_what_the_site_says() -> None:
    site = settled()

    assert site.labels("n1") == {"cuda": "10.0", "workload-manager": "slurm"}
    assert site.nodes.nodes["n1"].capacity == {"slurm.sylabs.io/cpu": "2"}
    assert site.labels("n2") == {"cuda": "11.0", "workload-manager": "slurm"}


def test_where_all_agrees_nothing_is_written() -> None:
    site = settled()
    site.nodes.calls.clear()

    assert site.daemon.turn()
    assert site.nodes.calls == {"read_config_map": 1, "list_nodes": 1}
    assert site.told == []


def test_a_change_is_told_with_what_was_given_and_taken() -> None:
    site = settled()
    site.say("n1: {labels: {infiniband: yes}}\nn2: {labels: {cuda: 11.0}}\n")
    site.daemon.turn()

    assert [event.fields for event in site.told if event.name == "node.changed"] == [
        {
            "node": "n1",
            "of": "labels",
            "given": ["slurm.sylabs.io/infiniband=yes"],
            "taken": ["slurm.sylabs.io/cuda"],
        },
        {"node": "n1", "of": "resources", "given": [], "taken": ["slurm.sylabs.io/cpu"]},
    ]


def test_a_node_that_is_named_no_more_carries_nothing_of_ours() -> None:
    site = settled()
    site.say("n2: {labels: {cuda: 11.0}}\n")
    site.daemon.turn()

    assert site.nodes.nodes["n1"] == Node("n1")


def test_a_config_map_that_is_away_or_cannot_be_read_changes_nothing() -> None:
    site = settled()
    before = dict(site.nodes.nodes)
    site.nodes.maps.clear()
    assert not site.daemon.turn()
    site.say("n1: [\n")
    assert not site.daemon.turn()
    site.nodes.maps["default", "slurm-config"] = {"confg": TWO}
    assert not site.daemon.turn()

    assert site.nodes.nodes == before
    assert len(site.troubles()) == 3


def test_an_entry_that_is_not_understood_leaves_its_node_alone_and_stops_no_other() -> None:
    site = settled()
    site.say("n1: 7\nn2: {labels: {cuda: 12.0}}\n")
    site.daemon.turn()

    assert site.labels("n1")["cuda"] == "10.0"
    assert site.labels("n2")["cuda"] == "12.0"


def test_a_node_that_will_not_have_it_stops_no_other() -> None:
    site = Site()
    site.say(TWO)
    site.nodes.refusing["n1"] = Invalid("the label is forbidden here")

    assert not site.daemon.turn()
    assert site.troubles() == ["node n1: the label is forbidden here"]
    assert site.labels("n2")["cuda"] == "11.0"


def test_a_trouble_is_told_once_while_it_lasts_and_again_when_it_comes_back() -> None:
    site = settled()
    site.nodes.maps.clear()
    site.daemon.turn()
    site.daemon.turn()
    assert len(site.troubles()) == 1
    site.say(TWO)
    site.daemon.turn()
    site.nodes.maps.clear()
    site.daemon.turn()
    assert len(site.troubles()) == 2


def test_a_node_that_is_not_there_is_named() -> None:
    site = settled()
    site.say(f"{TWO}ghost: {{labels: {{a: b}}}}\n")

    assert not site.daemon.turn()
    assert site.troubles() == ["ghost: there is no such node"]


def test_a_silent_api_server_changes_nothing() -> None:
    site = settled()
    site.nodes.refusing["n1"] = Silent("nobody answered")
    site.say("n1: {labels: {cuda: 12.0}}\nn2: {labels: {cuda: 11.0}}\n")
    site.daemon.turn()

    assert site.labels("n1")["cuda"] == "10.0"
