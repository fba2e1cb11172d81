"""What the resource daemon does to nodes: it reaches what is wanted, and touches nothing else."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.nodes import changed
from waldur_slurm.operator.model.cluster import NodeEntry
from waldur_slurm.operator.nodes.plan import (
    APPLIED,
    Node,
    labels_of,
    plan_node,
    resources_of,
)

OTHERS_LABELS = {"kubernetes.io/hostname": "n1", "slurm.sylabs.io/somebodys": "own"}
OTHERS_CAPACITY = {"cpu": "8", "example.org/gpu": "2"}

names = st.sampled_from(["cuda", "containers", "infiniband", "cpu"])
entries = st.builds(
    NodeEntry,
    name=st.just("n1"),
    labels=st.dictionaries(names, st.sampled_from(["10.0", "yes", ""])),
    resources=st.dictionaries(names, st.integers(0, 9)),
    slurm_local=st.sampled_from(["", "http://127.0.0.1:8080"]),
    slurm_ssh=st.sampled_from(["", "login:22"]),
)
histories = st.lists(st.one_of(st.none(), entries), min_size=1, max_size=4)


def settled(node: Node, entry: NodeEntry | None) -> Node:
    for step in plan_node(node, entry):
        node = changed(node, step)
    return node


FRESH = Node("n1", labels=OTHERS_LABELS, capacity=OTHERS_CAPACITY)


@given(histories)
def test_a_node_carries_what_was_said_last_and_what_others_gave_it(
    history: list[NodeEntry | None],
) -> None:
    node = FRESH
    for entry in history:
        node = settled(node, entry)
    last = history[-1]
    assert node.labels == OTHERS_LABELS | (labels_of(last) if last else {})
    assert node.capacity == OTHERS_CAPACITY | (resources_of(last) if last else {})
    assert bool(node.annotations) == (last is not None)


@given(histories)
def test_once_it_carries_that_nothing_is_done(history: list[NodeEntry | None]) -> None:
    node = FRESH
    for entry in history:
        node = settled(node, entry)
    assert list(plan_node(node, history[-1])) == []


@given(histories, st.integers(0, 3))
def test_after_a_crash_at_any_step_the_next_plan_still_leads_there(
    history: list[NodeEntry | None], crash: int
) -> None:
    node = FRESH
    for entry in history[:-1]:
        node = settled(node, entry)
    for step in list(plan_node(node, history[-1]))[:crash]:
        node = changed(node, step)
    node = settled(node, None)
    assert (node.labels, node.capacity, node.annotations) == (OTHERS_LABELS, OTHERS_CAPACITY, {})


@given(entries)
def test_what_a_kubelet_wiped_is_put_there_again(entry: NodeEntry) -> None:
    node = settled(FRESH, entry)
    wiped = replace(node, capacity=OTHERS_CAPACITY)
    assert settled(wiped, entry) == node


def test_an_annotation_that_names_what_is_not_ours_takes_nothing_off() -> None:
    forged = '{"labels":["kubernetes.io/hostname"],"resources":["cpu"]}'
    node = replace(FRESH, annotations={APPLIED: forged})
    after = settled(node, None)
    assert (after.labels, after.capacity) == (OTHERS_LABELS, OTHERS_CAPACITY)
