"""The page for operators, held to the code: what it names exists, and no trouble is missing."""

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.packaging.messages import EVENT, constants, explained, nodes, sources, troubles
from tests.places import PROJECT
from waldur_slurm.agent.arguments import build, parse
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind as PullRefusal
from waldur_slurm.agent.push.plan.findings import RefusalKind as PushRefusal
from waldur_slurm.agent.settings import Settings

PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
PLACEHOLDERS = {"RESOURCE": "e21a0f0030b447deb63bedf69db6742e", "ACCOUNT": "hpc_a"}
FOREIGN = {"sacctmgr", "systemctl", "journalctl", "curl"}
FILE = re.compile(r".+\.(env|conf|yaml|yml|json)")


def chapter(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def first_cells(title: str) -> list[str]:
    """The first column of a chapter's table, without its heading."""
    rows = re.findall(r"^\| *(.+?) *\|", chapter(title), re.MULTILINE)
    return [row for row in rows[1:] if not row.startswith("---")]


def spans() -> list[str]:
    """What the page shows as code inside its sentences and tables."""
    outside = re.sub(r"^```.*?^```", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", outside)


def blocks() -> str:
    return "\n".join(re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(
        (PROJECT / "examples/monitoring/alerts.yml").read_text(encoding="utf-8")
    )
    return [rule for group in document["groups"] for rule in group["rules"]]


def alerts() -> list[str]:
    return [rule["alert"] for rule in rules()]


# Alerts


def test_the_chapter_has_every_alert_and_nothing_else_in_their_order() -> None:
    assert re.findall(r"^### (.+)$", chapter("Alerts"), re.MULTILINE) == alerts()


def section(alert: str) -> str:
    return chapter("Alerts").partition(f"### {alert}\n")[2].partition("###")[0]


@pytest.mark.parametrize("alert", alerts())
def test_an_alert_is_told_in_two_to_four_sentences_with_something_to_look_at(alert: str) -> None:
    lines = [line for line in section(alert).splitlines() if not line.startswith("|")]
    words = re.sub(r"`[^`]+`", "code", " ".join(lines))

    assert 2 <= len(re.findall(r"\.(?:\s|$)", words)) <= 4
    assert "code" in words or '"' in words


def test_every_kind_of_refusal_that_is_an_alert_and_happens_is_explained() -> None:
    (expression,) = (rule["expr"] for rule in rules() if rule["alert"] == "SlurmAgentRefused")
    (asked,) = re.findall(r'kind=~"([^"]+)"', expression)
    happens = {
        kinds[each.attr].value
        for each in nodes(sources("agent"))
        if isinstance(each, ast.Attribute)
        and isinstance(each.value, ast.Name)
        and each.value.id == "RefusalKind"
        for kinds in (PullRefusal, PushRefusal)
        if each.attr in kinds.__members__
    }
    explained = re.findall(r"^\| `([^`]+)` \|", section("SlurmAgentRefused"), re.MULTILINE)

    assert set(explained) == set(asked.split("|")) & happens


def test_links_lead_to_headings() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    targets = re.findall(r"\]\(#([^)]+)\)", PAGE)

    assert targets
    assert set(targets) <= anchors


# Events


def test_every_message_that_is_a_warning_or_an_error_is_on_the_page_and_no_other() -> None:
    assert explained(PAGE) == troubles(sources(without=("gateway", "operator")))


def test_events_named_anywhere_on_the_page_are_told_by_the_code() -> None:
    written = {name for source in sources() for name in constants(source)}
    named = {span for span in spans() if EVENT.fullmatch(span) and not FILE.fullmatch(span)}
    searched = set(re.findall(r"\| grep ([\w.]+)", PAGE))

    assert named
    assert searched
    assert (named | searched) - written == set()


# Command lines


def commands() -> set[str]:
    for action in build()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return set(action.choices)
    raise AssertionError("the parser has no commands")


def command_lines() -> Iterator[str]:
    """Every line for the agent; a name alone, such as `plan`, is one as well."""
    for line in blocks().splitlines():
        if line.startswith("waldur-slurm-agent "):
            yield line.partition("#")[0].removeprefix("waldur-slurm-agent ")
    for span in spans():
        first = span.split()[0]
        is_option_of_ours = span.startswith("--") and " " in span
        if first == "waldur-slurm-agent":
            yield span.removeprefix("waldur-slurm-agent ")
        elif is_option_of_ours or (" " in span and first in commands()):
            yield span


LINES = sorted(set(command_lines()))


def test_the_page_shows_command_lines_of_every_kind() -> None:
    shown = {word for line in LINES for word in shlex.split(line)}

    assert {"check", "plan", "once", "adopt", "usage", "backfill", "--load-components"} <= shown
    assert {"--repair", "--acknowledge", "--allow-removals", "--env-file"} <= shown


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_of_the_page_is_accepted(line: str) -> None:
    parse([PLACEHOLDERS.get(word, word) for word in shlex.split(line)])


def test_what_looks_like_a_command_is_one_of_ours_or_of_a_program_that_is_known() -> None:
    with_options = {span.split()[0] for span in spans() if " --" in span}

    strange = {first for first in with_options if not first.startswith("--")}
    assert strange - commands() - FOREIGN - {"waldur-slurm-agent"} == set()


def test_options_that_are_named_alone_exist() -> None:
    parsers = [build()]
    for action in build()._actions:
        if isinstance(action, argparse._SubParsersAction):
            parsers.extend(action.choices.values())
    known = {
        option for parser in parsers for each in parser._actions for option in each.option_strings
    }
    named = {span for span in spans() if re.fullmatch(r"--[a-z-]+", span)}

    assert "--json" in named
    assert named <= known


# Settings, drift, units


def test_variables_on_the_page_are_settings() -> None:
    known = {declared.name for declared in Settings.variables()}
    named = set(re.findall(r"\b(?:WALDUR|REQUESTS|SLURM|PULL|PUSH|AGENT)_[A-Z_]+\b", PAGE))

    assert len(named) > 10
    assert named - known == set()


def test_every_kind_of_drift_has_its_row() -> None:
    assert set(first_cells("Drift")) == {kind.value for kind in DriftKind}


def test_services_on_the_page_are_the_units() -> None:
    units = {path.stem for path in (PROJECT / "systemd-conf").glob("service-*/*.service")}
    named = set(re.findall(r"waldur-slurm-service-[a-z]+@?", PAGE))

    assert named == {unit for unit in units if not unit.endswith("-legacy")}
