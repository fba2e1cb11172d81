"""A merge patch leads from one object to another, whatever they are."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.operator.kube.patches import merge_patch

leaves = st.one_of(st.booleans(), st.integers(0, 3), st.text("ab", max_size=2), st.just([1]))
objects: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda below: st.dictionaries(st.sampled_from("abc"), st.one_of(leaves, below), max_size=3),
    max_leaves=6,
)


def applied(before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Do what RFC 7386 says a server does."""
    after = {name: value for name, value in before.items() if name not in patch}
    for name, value in patch.items():
        if isinstance(value, dict):
            there = before.get(name)
            after[name] = applied(there if isinstance(there, dict) else {}, value)
        elif value is not None:
            after[name] = value
    return after


@given(objects, objects)
def test_it_leads_from_any_object_to_any_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert applied(before, merge_patch(before, after)) == after


@given(objects)
def test_where_nothing_differs_nothing_is_sent(there: dict[str, Any]) -> None:
    assert merge_patch(there, there) == {}
