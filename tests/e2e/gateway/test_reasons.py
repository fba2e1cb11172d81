"""Why jobs wait is told right of a real Slurm, in its own words of that release."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.gateway import Gateway
from tests.patience import AT_ONCE_S
from tests.sandbox.processes import eventually

QOS = "reasons"
Submit = Callable[..., int]


@pytest.fixture
def submit(lab: Cluster, slurm_users: tuple[str, ...]) -> Iterator[Submit]:
    """Hand in for one who may use a QoS that lets nobody run more than one job."""
    user = slurm_users[0]
    account = ("where", f"name={user}", "account=physics", "set")
    lab.must("sacctmgr", "-i", "add", "qos", QOS, "MaxJobsPerUser=1", "MaxTRESPerJob=cpu=2")
    lab.must("sacctmgr", "-i", "modify", "user", *account, f"qos+={QOS}")

    def submitted(*options: str, command: str = "sleep 300") -> int:
        return lab.submit(user, "physics", command, "--output=/dev/null", "--mem=10", *options)

    yield submitted
    lab.must("scancel", f"--user={user}")
    lab.must("sacctmgr", "-i", "modify", "user", *account, f"qos-={QOS}")
    lab.must("sacctmgr", "-i", "delete", "qos", QOS)


class Teller:
    """Asks until Slurm has said more than that it has not looked yet."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._told: dict[str, Any] = {}

    def tells(self, job: int, category: str) -> tuple[dict[str, Any], dict[str, Any]]:
        def is_told() -> bool:
            self._told = self._gateway.get(f"/api/v1/jobs/{job}/reason").json
            return bool((self._told["reason"] or {}).get("category") == category)

        assert eventually(is_told, AT_ONCE_S), self._told
        return self._told["reason"], self._told["estimate"]


@pytest.fixture
def teller(gateway: Gateway) -> Teller:
    return Teller(gateway)


def says(reason: dict[str, Any]) -> str:
    return " ".join(fact["says"] for fact in reason["evidence"])


def test_a_limit_of_a_qos_names_it_and_what_is_in_use(submit: Submit, teller: Teller) -> None:
    submit(f"--qos={QOS}")
    reason, _ = teller.tells(submit(f"--qos={QOS}"), "limit")
    assert (reason["word"], reason["whose"]) == ("QOSMaxJobsPerUserLimit", "user")
    (fact,) = reason["evidence"]
    assert (fact["name"], fact["limit"], fact["used"]) == (QOS, 1, 1)


def test_one_that_asks_for_more_than_a_job_may_have_never_starts_by_itself(
    submit: Submit, teller: Teller
) -> None:
    reason, estimate = teller.tells(submit(f"--qos={QOS}", "--ntasks=3"), "limit")
    assert (reason["word"], reason["passes"]) == ("QOSMaxCpuPerJobLimit", False)
    assert f"QoS {QOS} allows a job cpu=2" in says(reason)
    assert estimate["kind"] == "unknown"


def test_a_job_that_finds_no_room_tells_what_is_free_and_when_slurm_expects_it(
    submit: Submit, teller: Teller, lab: Cluster
) -> None:
    every = lab.must("sinfo", "--noheader", "--format=%D").strip()
    submit(f"--nodes={every}", "--exclusive", "--time=5")
    reason, _ = teller.tells(submit("--exclusive", "--time=5"), "resources")
    assert f"Partition main has 0 of {every} nodes" in says(reason)


@pytest.mark.parametrize(
    ("options", "category", "word", "kind"),
    [
        (["--hold"], "held", "JobHeldUser", "unknown"),
        (["--begin=now+1hour"], "begin_time", "BeginTime", "not_before"),
        (["--array=0-3%1"], "limit", "JobArrayTaskLimit", "unknown"),
    ],
)
def test_slurms_words_are_what_they_are_taken_for(
    submit: Submit, teller: Teller, options: list[str], category: str, word: str, kind: str
) -> None:
    reason, estimate = teller.tells(submit(*options), category)
    assert (reason["word"], estimate["kind"]) == (word, kind)


def test_a_dependency_names_the_other_job_and_one_that_failed_is_final(
    submit: Submit, teller: Teller
) -> None:
    first = submit()
    reason, _ = teller.tells(submit(f"--dependency=afterok:{first}"), "dependency")
    assert (reason["word"], reason["passes"]) == ("Dependency", True)
    assert says(reason).startswith(f"Job {first} (afterok) is ")
    failed = submit(command="exit 1")
    last = submit(f"--dependency=afterok:{failed}")
    never = eventually(lambda: not teller.tells(last, "dependency")[0]["passes"], AT_ONCE_S)
    assert never
    assert teller.tells(last, "dependency")[0]["word"] == "DependencyNeverSatisfied"


def test_nodes_that_are_away_are_named_with_why(
    submit: Submit, teller: Teller, lab: Cluster
) -> None:
    node = lab.must("sinfo", "--noheader", "--Node", "--format=%N").split()[0]
    lab.must("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=fan broken")
    try:
        reason, _ = teller.tells(submit(f"--nodelist={node}"), "nodes")
        assert f"Node {node} is IDLE+DRAIN: fan broken" in says(reason)
    finally:
        lab.must("scontrol", "update", f"NodeName={node}", "State=RESUME")
