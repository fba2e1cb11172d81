"""Marks in comments: which there are, and what of a comment is its owner's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.gateway.submits.marks import carries, comment_of, is_mark, marked

OWN = "sgw:AAAAAAAAAAAAAAAAAAA-_9"


@pytest.mark.parametrize(
    ("comment", "mark", "words"),
    [
        ("", None, ""),
        (OWN, OWN, ""),
        (f"{OWN} my words", OWN, "my words"),
        (f"{OWN} {OWN}", OWN, OWN),
        (f"{OWN}x", f"{OWN}x", f"{OWN}x"),
        (f" {OWN}", None, f" {OWN}"),
        ("op:42", "op:42", "op:42"),
        ("my words", None, "my words"),
        ("a" * 257, None, "a" * 257),
    ],
)
def test_a_comment_is_taken_apart(comment: str, mark: str | None, words: str) -> None:
    assert marked(comment) == (mark, words)


@pytest.mark.parametrize("text", ["", "a b", "a\n", "ä", "a" * 257, "$(id)", "'", '"', "a;b", "%j"])
def test_what_may_be_taken_apart_is_no_mark(text: str) -> None:
    assert not is_mark(text)


def test_a_job_carries_its_whole_comment_and_what_the_gateway_put_before_it() -> None:
    assert carries(f"{OWN} my words", OWN)
    assert carries(f"{OWN} my words", f"{OWN} my words")
    assert not carries("op:42 my words", "op:42")
    assert not carries("", "op:42")


@given(st.text())
def test_whatever_its_owner_says_the_mark_and_his_words_are_found_again(words: str) -> None:
    assert marked(comment_of(OWN, words)) == (OWN, words)
