"""A script can tell by the exit code how a job ended, and that apart from what went wrong else."""

import msgspec
import pytest

from tests.unit.gateway.scripted import job
from waldur_slurm.gateway.cli import exits
from waldur_slurm.gateway.errors import (
    Denied,
    GatewayError,
    NotNow,
    NotOffered,
    NotSignedIn,
    NotThere,
    NotThisJob,
    OutcomeUnknown,
    Refused,
    WrongAsk,
)
from waldur_slurm.gateway.wire import JobView
from waldur_slurm.model.job_state import JobOutcome


def code(state: str, outcome: str | None) -> int:
    view = msgspec.convert(job(state, outcome=outcome), JobView)
    return exits.code_of_job(view)


def test_every_way_to_end_has_a_code() -> None:
    assert {outcome.value for outcome in JobOutcome} == exits.OUTCOMES.keys() - {None}


@pytest.mark.parametrize(
    ("state", "outcome", "expected"),
    [
        ("COMPLETED", "success", 0),
        ("FAILED", "failed", 1),
        ("TIMEOUT", "timeout", 3),
        ("CANCELLED", "cancelled", 4),
        ("OUT_OF_MEMORY", "oom", 5),
        ("NODE_FAIL", "node_fail", 6),
        ("REVOKED", None, 7),
        ("SOMETHING", "a new one", 7),
        ("RUNNING", None, 8),
    ],
)
def test_the_code_says_how_a_job_ended(state: str, outcome: str | None, expected: int) -> None:
    assert code(state, outcome) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotSignedIn("x"), 77),
        (Denied("x"), 77),
        (NotThere("x"), 66),
        (Refused("x"), 65),
        (WrongAsk("x"), 65),
        (NotThisJob("x"), 65),
        (NotOffered("x"), 65),
        (NotNow("x"), 75),
        (OutcomeUnknown("x"), 75),
        (GatewayError("x"), 69),
    ],
)
def test_what_is_refused_has_a_code_of_its_own(error: GatewayError, expected: int) -> None:
    assert exits.code_of_error(error) == expected
    assert expected not in {*exits.OUTCOMES.values(), exits.NOT_OVER, 2}


def test_a_refusal_comes_with_what_to_do_where_its_own_words_do_not_say_it() -> None:
    assert "GATEWAY_TOKEN" in exits.advice_of(NotSignedIn("x"))
    assert "me" in exits.advice_of(Denied("x"))
    assert exits.advice_of(Refused("Slurm's own words")) == ""
