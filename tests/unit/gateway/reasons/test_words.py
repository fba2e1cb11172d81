"""Every word that a Slurm has for why a job waits has a meaning here."""

import pytest

from tests.places import PROJECT
from waldur_slurm.gateway.reasons.words import Category, meaning_of, word_of

RECORDED = PROJECT / "tests" / "recorded" / "reasons"
RELEASES = ("22.05.8", "24.11.5", "26.05.5")
NO_WORD = {"InvaildReason", "InvalidReason"}
"""What Slurm itself prints where it has none; spelt as it spells it."""

MEANT = {
    "": ("none", "", True),
    "None": ("none", "", True),
    "Resources": ("resources", "", True),
    "Priority": ("priority", "", True),
    "Dependency": ("dependency", "", True),
    "DependencyNeverSatisfied": ("dependency", "", False),
    "JobHeldUser": ("held", "", False),
    "JobHeldAdmin": ("held", "", False),
    "job requeued in held state": ("held", "", False),
    "launch_failed_requeued_held": ("held", "", False),
    "BeginTime": ("begin_time", "", True),
    "Licenses": ("licenses", "", True),
    "Reservation": ("reservation", "", True),
    "ReservationDeleted": ("reservation", "", False),
    "ReqNodeNotAvail": ("nodes", "", True),
    "ReqNodeNotAvail, UnavailableNodes:n[1-3]": ("nodes", "", True),
    "(ReqNodeNotAvail, Reserved for maintenance)": ("nodes", "", True),
    "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions": (
        "nodes",
        "",
        True,
    ),
    "PartitionDown": ("partition", "", True),
    "PartitionTimeLimit": ("limit", "partition", False),
    "JobArrayTaskLimit": ("limit", "array", True),
    "AssocGrpCpuLimit": ("limit", "account", True),
    "AssocGrpCPUMinutesLimit": ("limit", "account", True),
    "AssocMaxJobsLimit": ("limit", "account", True),
    "AssocMaxWallDurationPerJobLimit": ("limit", "account", False),
    "QOSMaxJobsPerUserLimit": ("limit", "user", True),
    "QOSMaxCpuPerUserLimit": ("limit", "user", True),
    "MaxGRESPerAccount": ("limit", "account", True),
    "MaxCpuRunMinsPerUser": ("limit", "user", True),
    "QOSGrpNodeLimit": ("limit", "qos", True),
    "QOSMaxGRESPerNode": ("limit", "qos", False),
    "QOSMinCpuNotSatisfied": ("limit", "qos", False),
    "BadConstraints": ("impossible", "", False),
    "InvalidAccount": ("impossible", "", False),
    "Cleaning": ("slurm", "", True),
    "NonZeroExitCode": ("ended", "", False),
    "RaisedSignal:53(Real-time_signal_19)": ("ended", "", False),
}


@pytest.mark.parametrize("reason", MEANT)
def test_a_reason_has_its_category_and_whose_limit_it_is(reason: str) -> None:
    meaning = meaning_of(reason)
    assert (meaning.category.value, meaning.whose, meaning.passes) == MEANT[reason]


@pytest.mark.parametrize("release", RELEASES)
def test_every_word_of_a_release_is_in_a_category_and_says_what_to_do(release: str) -> None:
    words = (RECORDED / f"{release}.txt").read_text().split()
    assert len(words) > 190
    meanings = {word: meaning_of(word) for word in words}
    unknown = {word for word, of in meanings.items() if of.category is Category.UNKNOWN}
    assert unknown == NO_WORD & {*words}
    for meaning in meanings.values():
        assert meaning.says.endswith((".", ".)"))
        assert meaning.advice.endswith(".")


def test_a_limit_says_whose_it_is_and_of_what() -> None:
    assert meaning_of("QOSMaxCpuPerUserLimit").says == (
        "Its owner, in this QoS, has as much in use as it may: CPUs."
    )
    assert meaning_of("AssocGrpGRESMinutes").says == (
        "Its account has used up its budget: GPUs (or another generic resource) times minutes."
    )
    assert meaning_of("QOSMaxMemoryPerNode").says == (
        "It asks for more on a node than its QoS gives one job: memory."
    )


@pytest.mark.parametrize(
    "word", ["QOSMaxSomethingPerJob", "AssocGrpCpuLimits", "MaxCpu", "Max", "priority", "\x1b[31m"]
)
def test_a_word_that_nobody_knows_is_said_to_be_unknown(word: str) -> None:
    meaning = meaning_of(word)
    assert meaning.category is Category.UNKNOWN
    assert "not known here" in meaning.says
    assert "\x1b" not in meaning.advice


def test_the_word_is_what_stands_before_its_details() -> None:
    assert word_of("ReqNodeNotAvail, UnavailableNodes:n[1-2]") == "ReqNodeNotAvail"
    assert word_of("RaisedSignal:9(Killed)") == "RaisedSignal"
