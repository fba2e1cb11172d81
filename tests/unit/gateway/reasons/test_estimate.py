"""When a job may start is Slurm's word with its age, or an honest "unknown"."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.cluster import BEGAN, live_job
from waldur_slurm.gateway.reasons.estimate import Estimate, Kind, estimate

SOON = BEGAN + timedelta(hours=2)


def told(reason: str, **changes: Any) -> Estimate:
    found = estimate(live_job(reason=reason, **changes), BEGAN)
    assert found is not None
    return found


def test_what_slurm_expects_is_told_with_how_long_ago_it_looked() -> None:
    looked = BEGAN - timedelta(seconds=90)
    found = told("Priority", start=SOON, considered=looked)
    assert (found.kind, found.start, found.looked_at) == (Kind.EXPECTED, SOON, looked)
    assert found.says.startswith(
        "Slurm expects it at 2026-11-21 14:00:00 UTC, as of 90 seconds ago;"
    )
    assert (
        "10 minutes ago"
        in told("Priority", start=SOON, considered=BEGAN - timedelta(minutes=10)).says
    )


def test_an_estimate_that_has_passed_is_none() -> None:
    found = told("Resources", start=BEGAN - timedelta(minutes=1), considered=BEGAN)
    assert (found.kind, found.start) == (Kind.UNKNOWN, None)
    assert "that has passed" in found.says


@pytest.mark.parametrize("reason", ["Priority", "QOSGrpCpuLimit", "SomethingNew"])
def test_without_an_estimate_it_is_unknown(reason: str) -> None:
    assert told(reason, considered=BEGAN).kind is Kind.UNKNOWN
    assert told(reason, start=SOON, considered=BEGAN).kind is Kind.EXPECTED


def test_a_job_at_which_nobody_looked_is_said_to_be_so() -> None:
    assert told("None").says == "Slurm's scheduler has not looked at it yet."


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("JobHeldUser", "after it is released"),
        ("DependencyNeverSatisfied", "never"),
        ("Dependency", "after the jobs that it depends on"),
        ("BadConstraints", "never"),
        ("PartitionTimeLimit", "before somebody does something"),
    ],
)
def test_one_that_somebody_must_help_is_not_expected_whatever_slurm_says(
    reason: str, words: str
) -> None:
    found = told(reason, start=SOON, considered=BEGAN)
    assert (found.kind, found.start) == (Kind.UNKNOWN, None)
    assert words in found.says


def test_a_time_that_was_asked_for_is_the_earliest_only() -> None:
    found = told("BeginTime", start=SOON)
    assert (found.kind, found.start) == (Kind.NOT_BEFORE, SOON)
    assert told("BeginTime", start=BEGAN).kind is Kind.UNKNOWN


def test_of_a_job_that_does_not_wait_nothing_is_said() -> None:
    assert estimate(live_job(state="RUNNING", start=BEGAN), BEGAN) is None
