"""A plan that a person reads and a program parses says the same."""

import json

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.pull.render import kind_of, to_json, to_text
from waldur_slurm.agent.pull.vocabulary.words import sentence_of
from waldur_slurm.agent.report.paper import Kind


@pytest.fixture
def site() -> Site:
    site = new_site()
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.waldur.place_create(project, "absurd", {"gpu": -1})
    return site


def test_a_plan_reads_from_top_to_bottom(site: Site) -> None:
    text = to_text(site.plan())

    assert text.startswith("Steps (6)\n   1. approve order ")
    assert "add account hpc_00000_alloc under hpc_0000" in text
    assert "(cpu=960000,gres/gpu=60)" in text
    assert "Not done (1)\n" in text
    assert "invalid order: " in text


def test_the_same_plan_as_json(site: Site) -> None:
    guarded = site.plan()

    told = json.loads(json.dumps(to_json(guarded)))

    assert told["kind"] == "changes"
    assert [step["text"] for step in told["steps"]] == list(map(sentence_of, guarded.plan.steps))
    assert told["refusals"][0]["kind"] == "invalid order"
    assert told["steps"][1]["after"]["name"].startswith("hpc_")


def test_nothing_to_do_says_so() -> None:
    guarded = new_site().plan()

    assert to_text(guarded) == "Nothing to do.\n"
    assert kind_of(guarded) is Kind.NOTHING
    assert [kind.value for kind in Kind] == [0, 10, 11]
