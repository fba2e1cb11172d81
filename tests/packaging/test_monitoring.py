"""Alerts and dashboard ask only for what the agent shows, in the words it uses."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_args

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.places import PROJECT
from waldur_slurm.agent.daemon.metrics import Metrics
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind as PullRefusal
from waldur_slurm.agent.pull.vocabulary.steps import Step
from waldur_slurm.agent.pull.world.access import Lack
from waldur_slurm.agent.push.plan.findings import RefusalKind as PushRefusal
from waldur_slurm.agent.report.standing import Standing
from waldur_slurm.agent.settings import Settings
from waldur_slurm.telemetry.events import Event, Level

MONITORING = PROJECT / "examples" / "monitoring"
PROMETHEUS_OWN = {"up"}
LABELS_OF_PROMETHEUS = {"job", "instance"}

SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
TEMPLATED = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def everything() -> Metrics:
    """Metrics of an agent to which everything has happened, in both directions at once."""
    made = Metrics(version="1", direction="pull", interval_s=60.0, is_ready=lambda: True)
    standing = Standing(
        drift={kind.value: 1 for kind in DriftKind},
        refused={kind.value: 1 for kind in (*PullRefusal, *PushRefusal)},
        quarantined=1,
        members_without_access={word.value: 1 for word in Lack},
        unreported={"cpu": Decimal(1)},
        usage_of_unknown_users=1,
        runaway_jobs=1,
        erred_resources=1,
    )
    calls: list[tuple[str, dict[str, object]]] = [
        ("cycle.ended", {"outcome": "ok", "standing": standing}),
        ("cycle.phase", {"phase": "read"}),
    ]
    for code in (0, 1, None):
        calls.append(("slurm.command", {"command": "sacct", "code": code}))
        calls.append(("slurm.command", {"command": "getent passwd ann", "code": code}))
    for status in (200, 400, 500, None):
        calls.append(("waldur.request", {"request": "GET x/", "status": status}))
    for name, fields in calls:
        made(Event(name=name, level=Level.DEBUG, fields={**fields, "seconds": 1.0}))
    for level in (Level.INFO, Level.WARNING, Level.ERROR):
        made(Event(name="any.event", level=level))
    return made


def shown() -> dict[str, dict[str, set[str]]]:
    """Each series' name with its labels and the values seen there."""
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(everything().exposition().decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


SHOWN = shown()


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    text = (MONITORING / "dashboard.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def questions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def series_in(question: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each series that is asked for, with its matchers; functions and labels are left out."""
    bare = re.sub(r"\b(by|without)\s*\([^)]*\)", "", question)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    for name, matchers in SELECTOR.findall(bare):
        if name.startswith(("agent_", "process_")) or name in PROMETHEUS_OWN:
            yield name, MATCHER.findall(matchers)


ASKED = [(question, *series) for question in questions() for series in series_in(question)]


def test_every_question_asks_for_something() -> None:
    assert {question for question, *_ in ASKED} == set(questions())


@pytest.mark.parametrize("name", sorted({name for _, name, _ in ASKED}))
def test_what_is_asked_for_is_shown(name: str) -> None:
    assert name in SHOWN.keys() | PROMETHEUS_OWN


def test_what_is_shown_of_the_agent_is_asked_for() -> None:
    def family(name: str) -> str:
        return re.sub(r"_(bucket|sum|count)$", "", name)

    asked = {family(name) for _, name, _ in ASKED}

    assert {family(name) for name in SHOWN if name.startswith("agent_")} <= asked


def test_labels_and_their_values_are_those_that_are_used() -> None:
    for question, name, matchers in ASKED:
        for label, text in matchers:
            if label in LABELS_OF_PROMETHEUS:
                continue
            used = SHOWN[name].get(label, set())
            assert set(text.split("|")) <= used, question


def test_results_are_grouped_and_named_by_labels_that_exist() -> None:
    known = {label for labels in SHOWN.values() for label in labels} | LABELS_OF_PROMETHEUS
    grouped = {
        label.strip()
        for question in questions()
        for group in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", question)
        for label in group.split(",")
    }
    texts = [t["legendFormat"] for panel in panels() for t in panel["targets"]]
    texts += [text for rule in rules() for text in rule["annotations"].values()]

    assert grouped <= known
    assert {label for text in texts for label in TEMPLATED.findall(text)} <= known


def test_every_end_of_an_order_is_counted_from_the_beginning() -> None:
    told = {step.event for step in get_args(Step) if step.event.startswith("order.")}

    assert {f"order.{outcome}" for outcome in SHOWN["agent_orders_total"]["outcome"]} == told


def test_what_pull_refuses_for_a_person_is_an_alert_or_has_one_of_its_own() -> None:
    (refused,) = (rule for rule in rules() if rule["alert"] == "SlurmAgentRefused")
    ((_, matchers),) = series_in(refused["expr"])
    named = set(dict(matchers)["kind"].split("|"))
    elsewhere = {PullRefusal.BRAKE, PullRefusal.QUARANTINED, PullRefusal.NO_ACCESS}

    assert {kind for kind in PullRefusal if kind.needs_a_person} - elsewhere <= named


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_grave_it_is_what_it_means_and_where_to_read_on(
    rule: dict[str, Any],
) -> None:
    name = rule["alert"]

    assert re.fullmatch(r"SlurmAgent[A-Z][A-Za-z]+", name)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"


def test_alerts_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(names) == len(set(names))


def test_the_dashboard_is_sound() -> None:
    every = dashboard()["panels"]
    ids = [panel["id"] for panel in every]
    cells = [
        (x, y)
        for panel in every
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(ids) == len(set(ids))
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24
    for panel in panels():
        assert panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_prometheus_is_told_the_addresses_that_the_env_files_name() -> None:
    told = yaml.safe_load((MONITORING / "scrape.yml").read_text(encoding="utf-8"))
    (job,) = told["scrape_configs"]
    targets = {target for each in job["static_configs"] for target in each["targets"]}

    listening = set()
    for file in (PROJECT / "systemd-conf").glob("service-*/*[!@].env"):
        lines = file.read_text(encoding="utf-8").splitlines()
        pairs = dict(line.split("=", 1) for line in lines if line and line[0] != "#")
        listening.add(str(Settings.from_environ(pairs).http_listen))

    assert targets == listening
    assert len(targets) == 2
    assert told["rule_files"] == ["alerts.yml"]
    (down,) = (rule for rule in rules() if rule["alert"] == "SlurmAgentDown")
    assert f'job="{job["job_name"]}"' in down["expr"]
