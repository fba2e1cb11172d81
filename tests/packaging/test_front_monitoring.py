"""The alerts of gateway and operator ask only for what these show, and their pages have each."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
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
from waldur_slurm.operator.jobs.kube import TOO_OLD, Snapshot
from waldur_slurm.operator.model.slurm_job import SlurmJob, Spec
from waldur_slurm.operator.watch.metrics import PHASES, Metrics
from waldur_slurm.telemetry.events import Event, Level

MONITORING = PROJECT / "examples" / "monitoring"
MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')


@dataclass(frozen=True)
class Front:
    """`shown` is its exposition, once everything has happened to it.

    `own` matches its series by name; `of_prometheus` are labels that Prometheus adds.
    """

    name: str
    shown: str
    own: str
    of_prometheus: frozenset[str]

    @property
    def series(self) -> dict[str, dict[str, set[str]]]:
        """Each series, with its labels and their values."""
        found: dict[str, dict[str, set[str]]] = {"up": {"job": {f"slurm-{self.name}"}}}
        for family in text_string_to_metric_families(self.shown):
            for sample in family.samples:
                labels = found.setdefault(sample.name, {})
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
        return found

    @property
    def rules(self) -> list[dict[str, Any]]:
        document = yaml.safe_load(self._read("alerts.yml"))
        return [rule for group in document["groups"] for rule in group["rules"]]

    def rule(self, alert: str) -> dict[str, Any]:
        (found,) = (rule for rule in self.rules if rule["alert"] == alert)
        return found

    @property
    def panels(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._read("dashboard.json"))["panels"]
        return found

    @property
    def targets(self) -> list[dict[str, Any]]:
        return [target for panel in self.panels for target in panel["targets"]]

    @property
    def scraping(self) -> dict[str, Any]:
        told: dict[str, Any] = yaml.safe_load(self._read("scrape.yml"))
        return told

    @property
    def chapter(self) -> str:
        """What its page says of its alerts."""
        page = (PROJECT / "docs" / f"{self.name}-operations.md").read_text(encoding="utf-8")
        return page.partition("\n## Alerts\n")[2].partition("\n## ")[0]

    def asked(self, expr: str) -> list[tuple[str, str]]:
        """Each series that is asked for, with its matchers."""
        found: list[tuple[str, str]] = re.findall(rf"\b({self.own}|up)\b(?:\{{([^}}]*)\}})?", expr)
        return found

    def _read(self, what: str) -> str:
        return (MONITORING / f"{self.name}-{what}").read_text(encoding="utf-8")


def shown_by_gateway() -> str:
    site = GatewaySite()
    site.cluster.put(live_job(1))
    site.monitors.outbox.add(letter())
    site.get("/metrics")
    site.cluster.go_down()
    site.get("/api/v1/partitions")
    site.cluster.come_back()
    return site.get("/metrics").text


def shown_by_operator() -> str:
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
    return made.exposition().decode()


GATEWAY = Front("gateway", shown_by_gateway(), r"slurm_\w+", frozenset({"instance"}))
OPERATOR = Front(
    "operator",
    shown_by_operator(),
    r"slurm_operator_\w+|process_\w+",
    frozenset({"instance", "job"}),
)
FRONTS = (GATEWAY, OPERATOR)


def each(told: Iterable[tuple[Front, dict[str, Any]]], what: str) -> pytest.MarkDecorator:
    cases = [pytest.param(front, one, id=f"{front.name}: {one[what]}"[:60]) for front, one in told]
    return pytest.mark.parametrize(("front", "told"), cases)


of_each = pytest.mark.parametrize("front", FRONTS, ids=lambda front: str(front.name))
of_each_target = each(((front, one) for front in FRONTS for one in front.targets), "expr")
of_each_rule = each(((front, one) for front in FRONTS for one in front.rules), "alert")


@of_each_target
def test_what_the_dashboard_asks_for_is_shown_with_those_labels(
    front: Front, told: dict[str, Any]
) -> None:
    shown = front.series
    grouped = re.findall(r"by \(([^)]*)\)", told["expr"])
    named = {*re.findall(r"\{\{(\w+)\}\}", told["legendFormat"])}

    ((name, matchers),) = front.asked(told["expr"])
    assert name in shown
    assert named - front.of_prometheus <= shown[name].keys()
    assert {label for group in grouped for label in group.split(", ")} <= shown[name].keys()
    for label, text in MATCHER.findall(matchers):
        assert label in front.of_prometheus or {*text.split("|")} <= shown[name][label]


@of_each
def test_the_dashboard_is_sound(front: Front) -> None:
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in front.panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len({panel["id"] for panel in front.panels}) == len(front.panels)
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24
    assert {target["datasource"]["uid"] for target in front.targets} == {"${datasource}"}


@of_each_rule
def test_what_an_alert_asks_for_is_shown_with_those_labels(
    front: Front, told: dict[str, Any]
) -> None:
    shown, asked = front.series, front.asked(told["expr"])

    assert asked
    for name, matchers in asked:
        assert name in shown
        for label, text in MATCHER.findall(matchers):
            assert {*text.split("|")} <= shown[name][label]


@of_each_rule
def test_an_alert_says_how_grave_it_is_what_it_means_and_where_to_read_on(
    front: Front, told: dict[str, Any]
) -> None:
    name, words = told["alert"], told["annotations"]
    labels = {label for labels in front.series.values() for label in labels} | front.of_prometheus

    assert re.fullmatch(rf"Slurm{front.name.capitalize()}[A-Z][A-Za-z]+", name)
    assert told["labels"]["severity"] in {"critical", "warning", "info"}
    assert words.keys() == {"summary", "description", "runbook"}
    assert words["runbook"] == f"docs/{front.name}-operations.md#{name.lower()}"
    assert {*re.findall(r"\$labels\.(\w+)", " ".join(words.values()))} <= labels


@of_each
def test_the_page_has_every_alert_and_nothing_else_in_their_order(front: Front) -> None:
    alerts = [rule["alert"] for rule in front.rules]

    assert re.findall(r"^### (.+)$", front.chapter, re.MULTILINE) == alerts
    for section in re.split(r"^### .+$", front.chapter, flags=re.MULTILINE)[1:]:
        words = re.sub(r"`[^`]+`", "code", section)
        assert 2 <= len(re.findall(r"\.(?:\s|$)", words)) <= 4, section


@of_each
def test_prometheus_is_told_of_the_job_that_the_alerts_go_by(front: Front) -> None:
    (job,) = front.scraping["scrape_configs"]
    down = front.rule(f"Slurm{front.name.capitalize()}Down")

    assert f'job="{job["job_name"]}"' in down["expr"]
    assert front.scraping["rule_files"] == [f"{front.name}-alerts.yml"]


def test_prometheus_is_told_where_the_gateway_listens_and_that_it_needs_a_token() -> None:
    (job,) = GATEWAY.scraping["scrape_configs"]
    ((target,),) = (each["targets"] for each in job["static_configs"])

    assert target in {str(listener) for listener in Settings.from_environ({}).listen}
    assert job["authorization"]["credentials_file"]


def test_the_numbers_in_the_alert_of_the_lanes_are_the_codes_own() -> None:
    numbers = re.findall(
        r"\d+", GATEWAY.rule("SlurmGatewayLanesFull")["annotations"]["description"]
    )

    assert numbers[:2] == [str(MOST_WAITING), f"{LONGEST_WAIT_S:.0f}"]


def test_what_is_too_old_to_the_alert_is_too_old_to_the_operator() -> None:
    silent = OPERATOR.rule("SlurmOperatorKubernetesSilent")

    assert silent["expr"].endswith(f"> {TOO_OLD.total_seconds():.0f}")
