"""The operator's page, held to the code."""

import re
import shlex

import pytest
import yaml

from tests.packaging.messages import explained, sources, troubles
from tests.places import PROJECT
from waldur_slurm.gateway.arguments import parse as parse_gateway
from waldur_slurm.operator.arguments import build, parse
from waldur_slurm.operator.check.judgement import SCOPES
from waldur_slurm.operator.config_map import CLUSTERS, CONFIG, read_config
from waldur_slurm.operator.jobs.placement import Placed, place
from waldur_slurm.operator.model.cluster import ByGateway, BySsh, RunsAs
from waldur_slurm.operator.model.slurm_job import Results, When, from_wire
from waldur_slurm.operator.settings import Settings

PAGE = (PROJECT / "docs" / "operator.md").read_text(encoding="utf-8")
OPERATIONS = (PROJECT / "docs" / "operator-operations.md").read_text(encoding="utf-8")
FILE = PROJECT / "resource-daemon" / "deploy" / "resource-daemon.yaml"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
TOLD_TO_PODS = {"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}


def test_every_message_that_is_a_warning_or_an_error_is_on_the_page_and_no_other() -> None:
    assert explained(OPERATIONS) == troubles(sources("operator"))


def test_every_event_that_is_no_condition_is_on_the_page_and_no_other() -> None:
    source = (PROJECT / "waldur_slurm/operator/jobs/words.py").read_text(encoding="utf-8")
    chapter = OPERATIONS.partition("\n| event | what")[2].partition("\n\n")[0]

    assert {*re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE)} == {
        *re.findall(r'\bTold\("(\w+)"', source)
    }


def test_links_between_the_pages_lead_to_headings() -> None:
    pages = {"operator.md": PAGE, "operator-operations.md": OPERATIONS}
    anchors = {
        name: {
            re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        for name, text in pages.items()
    }
    links = [
        (target or name, anchor)
        for name, text in pages.items()
        for target, anchor in re.findall(r"\]\(([\w.-]*)#([^)]+)\)", text)
        if (target or name) in pages
    ]

    assert links
    assert [link for link in links if link[1] not in anchors[link[0]]] == []


@pytest.mark.parametrize("line", re.findall(r"^slurm-operator (.+)$", OPERATIONS, re.MULTILINE))
def test_a_command_line_of_the_page_is_accepted(line: str) -> None:
    parse(shlex.split(line))


def test_every_setting_is_on_the_page_with_its_default_and_no_other() -> None:
    rows = PAGE.partition("## Settings\n")[2]
    first_cells = re.findall(r"^\| (`.+?) \|", rows, re.MULTILINE)
    named = set(re.findall(r"`([A-Z_]+)`", " ".join(first_cells)))
    declared = {variable.name: variable for variable in Settings.variables()}

    assert named == declared.keys() - TOLD_TO_PODS
    for name in ("OPERATOR_NAMESPACE", "OPERATOR_CONFIG_MAP", "OPERATOR_NODES_EVERY"):
        assert f"| `{name}` | `{declared[name].default}` |" in rows


def test_the_entry_that_the_page_shows_is_taken_as_it_stands() -> None:
    shown = next(each for each in BLOCKS if "minikube:" in each)
    config = read_config({CONFIG: shown})

    assert config.findings == ()
    assert config.nodes["minikube"].labels["cuda"] == "10.0"


def test_the_clusters_that_the_page_shows_are_taken_as_they_stand() -> None:
    shown = next(each for each in BLOCKS if each.startswith("alpha:"))
    config = read_config({CLUSTERS: shown})

    assert [each for each in config.findings if each.key == CLUSTERS] == []
    assert config.clusters["alpha"].by == ByGateway("https://login1:8443", "slurm-gateway")
    assert config.clusters["alpha"].runs_as("team-x") == RunsAs(
        "team-x", options=frozenset({"partition", "time", "qos"})
    )


def test_the_cow_goes_where_the_page_puts_it() -> None:
    (line,) = (each for each in PAGE.splitlines() if each.endswith("kubernetes/cow.yaml"))
    words = shlex.split(line)
    cow = yaml.safe_load((PROJECT / words[-1]).read_text(encoding="utf-8"))
    cow["metadata"] |= {"namespace": words[words.index("-n") + 1], "uid": "u"}
    shown = next(each for each in BLOCKS if each.startswith("alpha:"))

    placed = place(from_wire(cow), read_config({CLUSTERS: shown}).clusters)
    assert isinstance(placed, Placed), placed
    assert placed.whom == "as svc-physics on account physics"


def test_nothing_is_said_twice_on_the_page() -> None:
    paragraphs = [each for each in PAGE.split("\n\n") if len(each) > 100]

    assert len(set(paragraphs)) == len(paragraphs)


def test_the_login_host_that_the_page_shows_is_taken_as_it_stands() -> None:
    shown = next(each for each in BLOCKS if each.startswith("beta:"))
    config = read_config({CLUSTERS: shown})

    assert [each for each in config.findings if each.key == CLUSTERS] == []
    assert config.clusters["beta"].by == BySsh("login1", 22, "slurm-known-hosts/known_hosts")
    assert config.clusters["beta"].runs_as("physics") == RunsAs("svc-physics", may_use_ssh=True)


def test_the_token_that_the_page_makes_is_one_that_can_be_made() -> None:
    (line,) = (each for each in PAGE.splitlines() if each.startswith("slurm-gateway token make"))
    asked = parse_gateway(shlex.split(line.partition(" >")[0])[1:])

    assert str(asked.run_as) == "svc-physics,@teams"
    assert {str(each) for each in asked.scopes} == {*SCOPES}


def test_the_results_that_the_page_asks_for_are_understood_as_they_stand() -> None:
    shown = yaml.safe_load(next(each for each in BLOCKS if "results:" in each))
    shown["metadata"] |= {"namespace": "physics", "uid": "u"}
    wanted = from_wire(shown).spec.results

    assert wanted == Results("out/*.csv", "data", When.ALWAYS)


def test_every_reason_of_the_condition_of_results_is_on_the_page_and_no_other() -> None:
    chapter = PAGE.partition("\n| ResultsCollected | what")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`.+?) \|", chapter, re.MULTILINE)
    told = set(re.findall(r"`(\w+)`", " ".join(cells)))
    source = (PROJECT / "waldur_slurm/operator/jobs/results_words.py").read_text(encoding="utf-8")

    assert told == set(re.findall(r'Truth\.\w+, "(\w+)"', source))


def test_the_file_that_the_page_applies_is_there_and_names_the_image_that_it_builds() -> None:
    assert f"kubectl apply -f {FILE.relative_to(PROJECT)}" in PAGE
    documents = list(yaml.safe_load_all(FILE.read_text(encoding="utf-8")))
    (deployment,) = (each for each in documents if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "slurm-operator:latest"
    assert "docker build -t slurm-operator " in PAGE
    parse(container["args"])


def test_each_test_that_the_page_names_is_there() -> None:
    named = {*re.findall(r"`(test_\w+)`", PAGE)}
    sources = (path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py"))
    there = {name for text in sources for name in re.findall(r"def (test_\w+)", text)}

    assert named
    assert named - there == set()


def test_every_example_of_the_help_is_accepted() -> None:
    lines = [line.split()[1:] for line in (build().epilog or "").splitlines() if "  slurm-" in line]

    commands = [parse(line).command for line in lines]
    assert commands == ["run", "plan", "check", "resource-daemon", "resource-daemon"]


@pytest.mark.parametrize("words", [[], ["dance"], ["resource-daemon", "--twice"]])
def test_wrong_usage_exits_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2


def test_every_reason_of_the_other_conditions_is_on_the_page() -> None:
    chapter = PAGE.partition("\n| condition | reason |")[2].partition("\n\n")[0]
    told = set(re.findall(r"`([A-Z][a-z]+[A-Z]?\w*)`", chapter))
    rooms = (
        PROJECT / "waldur_slurm/operator/jobs" / f"{name}.py" for name in ("words", "placement")
    )
    sources = "".join(room.read_text(encoding="utf-8") for room in rooms)
    reasons = re.findall(r'(?:Truth\.\w+, |Unplaced\(\s*)"(\w+)"', sources)

    assert set(reasons) - {"Started"} == told & set(reasons)
    assert len(reasons) > 20
