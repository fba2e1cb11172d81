"""Lists of nodes that the original's tests had, and those that it read wrongly."""

import pytest

from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.slurm.live.grammar.values import parse_word


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a1,b[1,3-4]", ["a1", "b1", "b3", "b4"]),
        ("n1", ["n1"]),
        ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[001-003]", ["n001", "n002", "n003"]),
        ("n[008-011,020]", ["n008", "n009", "n010", "n011", "n020"]),
        ("rack[1-2]n[1-2]", ["rack1n1", "rack1n2", "rack2n1", "rack2n2"]),
        ("n[1-2]-ib", ["n1-ib", "n2-ib"]),
    ],
)
def test_a_list_of_nodes_is_what_slurm_means_by_it(text: str, names: list[str]) -> None:
    assert [*expand_hosts(text)] == names


def test_no_nodes_are_no_nodes() -> None:
    assert expand_hosts(parse_word("(null)")) == ()
