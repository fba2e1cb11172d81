"""The ConfigMap is read as text; what is wrong is found by its line, and the rest is taken."""

import pytest

from waldur_slurm.operator.config_map import CONFIG, SlurmConfig, read_config
from waldur_slurm.operator.model.cluster import NodeEntry

DOCUMENTS = """\
minikube:
  slurm_local: http://localhost:8080
  resources: {cpu: 2}
  labels: {cuda: 10.0, containers: singularity, infiniband: yes}
"""


def read(text: str) -> SlurmConfig:
    return read_config({CONFIG: text})


def said(config: SlurmConfig) -> list[str]:
    return [str(finding) for finding in config.findings]


def test_values_are_read_as_they_are_written() -> None:
    config = read(DOCUMENTS)

    labels = {"cuda": "10.0", "containers": "singularity", "infiniband": "yes"}
    assert config.findings == ()
    assert config.nodes == {
        "minikube": NodeEntry("minikube", labels, {"cpu": 2}, "http://localhost:8080")
    }


def test_the_first_form_of_the_address_is_one_over_ssh() -> None:
    assert read("n1: {slurm: 'login:2222'}").nodes["n1"].slurm_ssh == "login:2222"


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        (
            "labels: {cuda: not good}",
            "label cuda: 'not good' is no value of a label",
        ),
        ("labels: {bad/name: x}", "label bad/name: that is no name of a label"),
        ("labels: {cuda: [1]}", "label cuda: a single value is expected here"),
        ("resources: {cpu: 2.5}", "resource cpu: '2.5' is no whole number"),
        ("resources: {cpu: -1}", "resource cpu: '-1' is no whole number"),
        ("resources: {bad name: 1}", "resource bad name: that is no name of a resource"),
        ("surprise: 1", "surprise is not known here"),
    ],
)
def test_what_is_wrong_in_an_entry_is_left_out_of_it(entry: str, finding: str) -> None:
    config = read(f"n1:\n  {entry}\nn2: {{labels: {{a: b}}}}\n")

    assert said(config) == [f"config, line 2: {finding}; it is left out"]
    assert config.nodes["n1"] == NodeEntry("n1")
    assert config.nodes["n2"].labels == {"a": "b"}


@pytest.mark.parametrize(
    "entry", ["7", "[labels]", "{labels: 7}", "{resources: [cpu]}", "{slurm_local: {a: b}}"]
)
def test_of_an_entry_that_is_not_understood_nobody_knows_what_the_node_should_carry(
    entry: str,
) -> None:
    config = read(f"n1: {entry}\nn2: {{labels: {{a: b}}}}\n")

    (finding,) = said(config)
    assert finding.startswith("config, line 1: n1: ")
    assert config.doubtful == {"n1"}
    assert set(config.nodes) == {"n2"}


def test_of_two_with_one_name_the_first_counts() -> None:
    config = read("n1: {labels: {a: b, a: c}}\n")

    assert said(config) == ["config, line 1: a is there twice; the first one counts"]
    assert config.nodes["n1"].labels == {"a": "b"}


@pytest.mark.parametrize("text", ["n1: [1\n", "- n1\n", "n1", "a: b\n\tc: d\n", "&a [*a]\n"])
def test_a_text_that_cannot_be_read_says_nothing_of_any_node(text: str) -> None:
    config = read(text)

    assert len(config.findings) == 1
    assert (config.nodes, config.says_of_nodes) == ({}, False)


def test_a_key_that_is_missing_says_nothing_and_a_text_that_is_empty_says_that_of_none() -> None:
    assert not read_config({"confg": DOCUMENTS}).says_of_nodes
    assert "no config" in said(read_config({}))[0]
    assert read("").says_of_nodes
    assert read("\n# none so far\n").says_of_nodes


def test_a_text_without_end_is_not_read() -> None:
    assert not read("a" * 600_000).says_of_nodes
