"""What is asked for has a fingerprint, and its job a comment."""

from typing import Any

import pytest

from waldur_slurm.gateway.submits.attempt import Wanted, fingerprint, with_mark
from waldur_slurm.model.batch import BatchSheet, VariablesFile
from waldur_slurm.model.names import UserName

OWN = "sgw:AAAAAAAAAAAAAAAAAAAAAA"


def wanted(**changes: Any) -> Wanted:
    told = {"cluster": "lab", "user": UserName("ann"), "sheet": BatchSheet("#!/bin/sh\n")}
    return Wanted(**{**told, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"cluster": "far"},
        {"user": UserName("bob")},
        {"mark": "m"},
        {"sheet": BatchSheet("#!/bin/sh\n\n")},
        {"sheet": BatchSheet("#!/bin/sh\n", {"hold": None})},
        {"sheet": BatchSheet("#!/bin/sh\n", {"time": "1"})},
        {"sheet": BatchSheet("#!/bin/sh\n", {}, {})},
        {"sheet": BatchSheet("#!/bin/sh\n", {}, {"A": "b"})},
        {"sheet": BatchSheet("#!/bin/sh\n", {}, VariablesFile("A"))},
    ],
)
def test_whatever_differs_has_another_fingerprint(changes: dict[str, Any]) -> None:
    assert fingerprint(wanted(**changes)) != fingerprint(wanted())


def test_the_order_of_options_and_variables_is_no_difference() -> None:
    one = BatchSheet("", {"time": "1", "mem": "2"}, {"A": "1", "B": "2"})
    two = BatchSheet("", {"mem": "2", "time": "1"}, {"B": "2", "A": "1"})

    assert fingerprint(wanted(sheet=one)) == fingerprint(wanted(sheet=two))


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    """A key that was written down by an earlier one has to be known again."""
    assert fingerprint(wanted()) == (
        "7bf0e8ec4d0392a8e7b8d63b49e2e7e5d29bd7b54895bbe1e930ae6c9652508c"
    )


def test_any_text_has_a_fingerprint() -> None:
    assert fingerprint(wanted(sheet=BatchSheet("\udcff", {"job-name": "\ud800"})))


@pytest.mark.parametrize(
    ("mark", "words", "comment"),
    [(OWN, None, OWN), (OWN, "two words", f"{OWN} two words"), ("op:1", None, "op:1")],
)
def test_the_comment_carries_the_mark(mark: str, words: str | None, comment: str) -> None:
    options = {} if words is None else {"comment": words}

    assert with_mark(BatchSheet("", options), mark).options == {"comment": comment}
