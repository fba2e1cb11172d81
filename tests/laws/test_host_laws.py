"""A list of hosts and its names say the same, and no list is larger than it was counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.hosts import HOST_LISTS, HOST_NAMES
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.hosts import count_hosts, expand_hosts, fold_hosts


@given(st.lists(HOST_NAMES, max_size=30))
def test_names_come_back_from_the_list_that_they_were_folded_into(names: list[str]) -> None:
    folded = fold_hosts(names)
    assert expand_hosts(folded) == tuple(names)
    assert count_hosts(folded) == len(names)


@given(HOST_LISTS)
def test_a_list_is_as_long_as_it_was_counted(text: str) -> None:
    names = expand_hosts(text)
    assert len(names) == count_hosts(text)
    assert expand_hosts(fold_hosts(names)) == names


@given(st.text())
def test_any_text_is_a_list_of_plain_names_or_is_refused(text: str) -> None:
    try:
        names = expand_hosts(text)
    except InvalidName:
        return
    assert text.isascii()
    assert all(name and not set("[], \n") & set(name) for name in names)


@pytest.mark.parametrize(
    "bomb",
    [
        "n[1-99999999]",
        "n[0-999999999999999999]",
        "a[1-60000]b[1-60000]c[1-60000]",
        ",".join(["n[1-60000]"] * 50),
        "n[1-2]" * 40,
    ],
)
def test_a_list_that_would_not_fit_into_memory_is_refused_before_it_is_spread(bomb: str) -> None:
    assert count_hosts(bomb) > 65_536
    with pytest.raises(InvalidName, match="more than 65536"):
        expand_hosts(bomb)


@pytest.mark.parametrize(
    "text",
    [
        *("n[1", "n1]", "n[]", "n[1-2,]", "n[3-1]", "n[a-b]", "n[-1]", "n[1-]", "n[1 ,2]", "a b"),
        *(",a", "a,,b", "a,", "n[1-2]]", "n[[1]]", "n[1-2-3]", "(null)", "n\n", "n[1\n]"),
        "n[1-9999999999999999999]",
    ],
)
def test_what_would_have_to_be_guessed_at_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        expand_hosts(text)


def test_no_text_is_no_host() -> None:
    assert expand_hosts("") == ()
    assert fold_hosts([]) == ""


def test_the_example_that_everybody_asks_for() -> None:
    names = expand_hosts("n[001-004,9]-ib,rack[1-2]n[1-2]")
    assert names[:5] == ("n001-ib", "n002-ib", "n003-ib", "n004-ib", "n9-ib")
    assert names[5:] == ("rack1n1", "rack1n2", "rack2n1", "rack2n2")
    assert fold_hosts(names[5:]) == "rack1n[1-2],rack2n[1-2]"


def test_a_name_that_is_a_list_is_not_folded() -> None:
    with pytest.raises(InvalidName):
        fold_hosts(["n1", "n[2-3]"])
