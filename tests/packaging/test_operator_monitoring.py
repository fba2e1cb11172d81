"""The operator's alerts ask only for what it shows, and the page for who runs it has each."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.places import PROJECT
from waldur_slurm.operator.jobs.kube import TOO_OLD, Snapshot
from waldur_slurm.operator.model.slurm_job import SlurmJob, Spec
from waldur_slurm.operator.watch.metrics import PHASES, Metrics
from waldur_slurm.telemetry.events import Event, Level

MONITORING = PROJECT / "examples" / "monitoring"
PAGE = (PROJECT / "docs" / "operator-operations.md").read_text(encoding="utf-8")
SELECTOR = re.compile(r"\b(slurm_operator_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((MONITORING / "operator-alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    text = (MONITORING / "operator-dashboard.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def everything() -> Metrics:
    """Metrics of an operator to which everything has happened."""
    jobs = tuple(
        SlurmJob("physics", phase, phase, Spec(""), status={"phase": phase, "cluster": "alpha"})
        for phase in PHASES
    )
    made = Metrics("1", lambda: Snapshot(jobs, timedelta(seconds=1)), lambda: ["alpha"])
    turn = {"cluster": "alpha", "outcome": "ok", "seconds": 1.0}
    look = {"cluster": "alpha", "unknown": 1, "is_silent": True}
    made(Event(name="turn.ended", level=Level.DEBUG, fields=turn))
    made(Event(name="jobs.looked_up", level=Level.DEBUG, fields=look))
    for level in (Level.WARNING, Level.ERROR):
        made(Event(name="any.event", level=level))
    return made


def shown() -> dict[str, dict[str, set[str]]]:
    """Each series, with its labels and their values."""
    found: dict[str, dict[str, set[str]]] = {"up": {"job": {"slurm-operator"}}}
    for family in text_string_to_metric_families(everything().exposition().decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


SHOWN = shown()
TARGETS = [target for panel in dashboard()["panels"] for target in panel["targets"]]
OF_PROMETHEUS = {"instance", "job"}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target["expr"])[:40])
def test_what_the_dashboard_asks_for_is_shown_with_those_labels(target: dict[str, Any]) -> None:
    grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
    named = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])

    ((name, matchers),) = SELECTOR.findall(target["expr"])
    assert name in SHOWN
    assert {*named} - OF_PROMETHEUS <= SHOWN[name].keys()
    assert {label for group in grouped for label in group.split(", ")} <= SHOWN[name].keys()
    for label, text in MATCHER.findall(matchers):
        assert label in OF_PROMETHEUS or {*text.split("|")} <= SHOWN[name][label]


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
            assert {*text.split("|")} <= SHOWN[name][label]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_grave_it_is_what_it_means_and_where_to_read_on(
    rule: dict[str, Any],
) -> None:
    name, told = rule["alert"], rule["annotations"]
    labels = {label for labels in SHOWN.values() for label in labels} | OF_PROMETHEUS

    assert re.fullmatch(r"SlurmOperator[A-Z][A-Za-z]+", name)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert told.keys() == {"summary", "description", "runbook"}
    assert told["runbook"] == f"docs/operator-operations.md#{name.lower()}"
    assert {*re.findall(r"\$labels\.(\w+)", " ".join(told.values()))} <= labels


def test_the_page_has_every_alert_and_nothing_else_in_their_order() -> None:
    chapter = PAGE.partition("\n## Alerts\n")[2].partition("\n## ")[0]

    assert re.findall(r"^### (.+)$", chapter, re.MULTILINE) == [rule["alert"] for rule in rules()]
    for section in re.split(r"^### .+$", chapter, flags=re.MULTILINE)[1:]:
        words = re.sub(r"`[^`]+`", "code", section)
        assert 2 <= len(re.findall(r"\.(?:\s|$)", words)) <= 4, section


def test_prometheus_is_told_of_the_job_that_the_alerts_go_by() -> None:
    told = yaml.safe_load((MONITORING / "operator-scrape.yml").read_text(encoding="utf-8"))
    (job,) = told["scrape_configs"]
    (down,) = (rule for rule in rules() if rule["alert"] == "SlurmOperatorDown")

    assert f'job="{job["job_name"]}"' in down["expr"]
    assert told["rule_files"] == ["operator-alerts.yml"]


def test_what_is_too_old_to_the_alert_is_too_old_to_the_operator() -> None:
    (silent,) = (rule for rule in rules() if rule["alert"] == "SlurmOperatorKubernetesSilent")

    assert silent["expr"].endswith(f"> {TOO_OLD.total_seconds():.0f}")
