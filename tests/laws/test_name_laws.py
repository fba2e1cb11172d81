"""A name is one plain word or is refused; nothing is mended into somebody else's name."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.names import account_name, cluster_name, user_name
from waldur_slurm.model.tres import tres_name

Check = Callable[[str], str]

SEPARATORS = ",[]{}|=:;'\"`\\/ \t\n\r\0#%&*?$()<>!^~"
CHECKS: tuple[Check, ...] = (account_name, user_name, cluster_name)


@pytest.mark.parametrize("check", CHECKS)
@given(text=st.text())
def test_a_name_comes_out_unchanged_or_not_at_all(check: Check, text: str) -> None:
    try:
        found = check(text)
    except InvalidName:
        return
    assert found == text
    assert text.isascii()
    assert text == text.lower()
    assert not set(SEPARATORS) & set(text)
    assert not text.startswith("-")


@pytest.mark.parametrize("check", CHECKS)
@given(
    before=st.text("abc09_", max_size=5),
    separator=st.sampled_from(SEPARATORS),
    after=st.text("abc09_", max_size=5),
)
def test_no_separator_of_any_grammar_is_let_through(
    check: Check, before: str, separator: str, after: str
) -> None:
    with pytest.raises(InvalidName):
        check(f"{before}{separator}{after}")


@given(st.from_regex(r"[a-z0-9_][a-z0-9_.-]{0,41}", fullmatch=True))
def test_every_plain_word_is_an_account_and_a_user(text: str) -> None:
    assert account_name(text) == text
    assert user_name(text) == text


@given(st.text())
def test_a_tres_is_known_by_its_kind(text: str) -> None:
    try:
        found = tres_name(text)
    except InvalidName:
        return
    assert found == text
    assert text.isascii()
    assert not set("=,| \n'\"") & set(text)


@pytest.mark.parametrize("text", ["root", "where", "set", "cluster", "all", "none"])
def test_words_of_slurms_grammar_are_names_like_others(text: str) -> None:
    """They always follow `name=`, where Slurm takes them for what they are."""
    assert account_name(text) == text


def test_an_error_shows_the_name_without_flooding_the_log() -> None:
    with pytest.raises(InvalidName) as refused:
        account_name("A" * 100_000)
    assert len(str(refused.value)) < 300
