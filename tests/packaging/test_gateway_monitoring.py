"""The gateway's alerts ask only for what it shows, and the page for operators has each of them."""

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.cluster import live_job
from tests.places import PROJECT
from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.site import GatewaySite
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.web.crossing import LONGEST_WAIT_S, MOST_WAITING

MONITORING = PROJECT / "examples" / "monitoring"
PAGE = (PROJECT / "docs" / "gateway-operations.md").read_text(encoding="utf-8")
SELECTOR = re.compile(r"\b(slurm_\w+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((MONITORING / "gateway-alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    text = (MONITORING / "gateway-dashboard.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def shown() -> dict[str, dict[str, set[str]]]:
    """Each series of a gateway that has seen something, with its labels and their values."""
    site = GatewaySite()
    site.cluster.put(live_job(1))
    site.monitors.outbox.add(letter())
    site.get("/metrics")
    site.cluster.go_down()
    site.get("/api/v1/partitions")
    site.cluster.come_back()
    found: dict[str, dict[str, set[str]]] = {"up": {"job": {"slurm-gateway"}}}
    for family in text_string_to_metric_families(site.get("/metrics").text):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


SHOWN = shown()


TARGETS = [target for panel in dashboard()["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target["expr"])[:40])
def test_what_the_dashboard_asks_for_is_shown_with_those_labels(target: dict[str, Any]) -> None:
    asked = SELECTOR.findall(target["expr"])
    grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
    named = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])

    ((name, matchers),) = asked
    assert name in SHOWN
    assert set(named) <= SHOWN[name].keys()
    assert {label for group in grouped for label in group.split(", ")} <= SHOWN[name].keys()
    for label, text in MATCHER.findall(matchers):
        assert label == "instance" or text in SHOWN[name][label]


def test_the_dashboard_is_sound() -> None:
    panels = dashboard()["panels"]
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24
    assert {target["datasource"]["uid"] for target in TARGETS} == {"${datasource}"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_what_an_alert_asks_for_is_shown_with_those_labels(rule: dict[str, Any]) -> None:
    asked = SELECTOR.findall(rule["expr"])

    assert asked
    for name, matchers in asked:
        assert name in SHOWN
        for label, text in MATCHER.findall(matchers):
            assert set(text.split("|")) <= SHOWN[name][label]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_grave_it_is_what_it_means_and_where_to_read_on(
    rule: dict[str, Any],
) -> None:
    name, told = rule["alert"], rule["annotations"]
    labels = {label for labels in SHOWN.values() for label in labels} | {"instance"}

    assert re.fullmatch(r"SlurmGateway[A-Z][A-Za-z]+", name)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert told.keys() == {"summary", "description", "runbook"}
    assert told["runbook"] == f"docs/gateway-operations.md#{name.lower()}"
    assert set(re.findall(r"\$labels\.(\w+)", " ".join(told.values()))) <= labels


def test_the_page_has_every_alert_and_nothing_else_in_their_order() -> None:
    chapter = PAGE.partition("\n## Alerts\n")[2]

    assert re.findall(r"^### (.+)$", chapter, re.MULTILINE) == [rule["alert"] for rule in rules()]
    for section in re.split(r"^### .+$", chapter, flags=re.MULTILINE)[1:]:
        words = re.sub(r"`[^`]+`", "code", section)
        assert 2 <= len(re.findall(r"\.(?:\s|$)", words)) <= 4, section


def test_prometheus_is_told_where_the_gateway_listens_and_that_it_needs_a_token() -> None:
    told = yaml.safe_load((MONITORING / "gateway-scrape.yml").read_text(encoding="utf-8"))
    (job,) = told["scrape_configs"]
    ((target,),) = (each["targets"] for each in job["static_configs"])

    assert target in {str(listener) for listener in Settings.from_environ({}).listen}
    assert job["authorization"]["credentials_file"]
    assert told["rule_files"] == ["gateway-alerts.yml"]
    (down,) = (rule for rule in rules() if rule["alert"] == "SlurmGatewayDown")
    assert f'job="{job["job_name"]}"' in down["expr"]


def test_the_numbers_in_the_alert_of_the_lanes_are_the_codes_own() -> None:
    (full,) = (rule for rule in rules() if rule["alert"] == "SlurmGatewayLanesFull")

    numbers = re.findall(r"\d+", full["annotations"]["description"])
    assert numbers[:2] == [str(MOST_WAITING), f"{LONGEST_WAIT_S:.0f}"]
