"""What `check` says of facts that no machine here has."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from waldur_slurm.errors import TransportError
from waldur_slurm.gateway.check.acting import REACHED_BY
from waldur_slurm.gateway.check.facts import (
    ClusterFacts,
    DoorFacts,
    Facts,
    HandFacts,
    SettingsFacts,
)
from waldur_slurm.gateway.check.judgement import judge
from waldur_slurm.gateway.doors.networks import TrustedNetwork
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.settings.acting import Executor
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import Person
from waldur_slurm.service.check.findings import Finding, Verdict, is_fit

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SOUND = {
    "SLURM_VERSION": "24.11.5",
    "MinJobAge": "300 sec",
    "AccountingStorageType": "accounting_storage/slurmdbd",
    "AccountingStoreFlags": "job_comment,job_script",
    "SlurmUser": "slurm(64030)",
}
CLUSTER = ClusterFacts(name="lab", configuration=SOUND, asked=NOON, told=NOON)
FACTS = Facts(
    settings=SettingsFacts(user="gate", is_root=False, jobs_age_s=5.0, acts=True),
    clusters=[CLUSTER],
    hand=HandFacts(executor="sudo", user="ann", answer="the hand is ann"),
    slurmrestd=None,
    places={"GATEWAY_STATE_DIR": "can be written"},
    database="sound",
    secret=True,
    listeners=[],
    certificate=None,
    doors=DoorFacts(tokens=1),
    sinks=[],
)


def found(facts: Facts, subject: str) -> Finding:
    (finding,) = [each for each in judge(facts) if each.subject == subject]
    return finding


def of_cluster(**changes: str) -> Facts:
    return replace(FACTS, clusters=[replace(CLUSTER, configuration={**SOUND, **changes})])


def test_facts_that_are_sound_are_fit_without_a_warning() -> None:
    findings = judge(FACTS)

    assert {each.verdict for each in findings} == {Verdict.OK}
    assert is_fit(findings)


def test_a_cluster_that_is_silent_leaves_the_rest_of_it_unknown() -> None:
    silent = replace(CLUSTER, configuration=TransportError("no answer"))

    verdicts = {
        each.subject: each.verdict for each in judge(replace(FACTS, clusters=[silent, CLUSTER]))
        if each.subject.startswith("Slurm")
    }  # fmt: skip

    assert verdicts["Slurm lab: clock"] is Verdict.OK  # of the other one, later in the list
    assert not is_fit(judge(replace(FACTS, clusters=[silent])))


def test_an_operator_sees_what_is_private() -> None:
    facts = of_cluster(PrivateData="jobs,usage")
    assert found(facts, "Slurm lab: sight").verdict is Verdict.FAILED

    (cluster,) = facts.clusters
    operator = Person(UserName("gate"), None, "Operator")
    above = replace(facts, clusters=[replace(cluster, people=(operator,))])

    assert found(above, "Slurm lab: sight").verdict is Verdict.OK


def test_a_site_without_accounting_is_no_failure() -> None:
    bare = replace(
        CLUSTER,
        configuration={**SOUND, "AccountingStorageType": "accounting_storage/none"},
        private=TransportError("no slurmdbd"),
        people=TransportError("no slurmdbd"),
    )
    facts = replace(FACTS, clusters=[bare])

    assert found(facts, "Slurm lab: accounting").verdict is Verdict.WARNING
    assert is_fit(judge(facts))


@pytest.mark.parametrize(("seconds", "verdict"), [(4, Verdict.OK), (-6, Verdict.WARNING)])
def test_clocks_may_be_apart_by_what_nobody_notices(seconds: int, verdict: Verdict) -> None:
    cluster = replace(CLUSTER, told=NOON + timedelta(seconds=seconds))

    assert found(replace(FACTS, clusters=[cluster]), "Slurm lab: clock").verdict is verdict


@pytest.mark.parametrize("executor", Executor)
def test_each_way_to_the_hand_has_a_remedy_of_its_own(executor: Executor) -> None:
    hand = HandFacts(executor=executor, user="ann", answer=TransportError("no such file"))

    finding = found(replace(FACTS, hand=hand), "executor")

    assert (finding.verdict, finding.advice) == (Verdict.FAILED, REACHED_BY[executor])
    assert len({*REACHED_BY.values()}) == len(Executor)


def test_what_clients_without_a_token_may_is_said_in_the_words_of_scopes() -> None:
    network = TrustedNetwork(ip_network("10.1.0.0/16"), frozenset({Scope.JOBS_READ_ALL}))
    own = TrustedNetwork(ip_network("127.0.0.1"), frozenset({Scope.JOBS_READ}))
    doors = DoorFacts(anonymous=frozenset({Scope.CLUSTER_READ}), networks=(network, own), tokens=0)

    said = [e for e in judge(replace(FACTS, doors=doors)) if e.subject == "without a token"]

    assert [each.verdict for each in said] == [Verdict.OK, Verdict.WARNING, Verdict.OK]
    assert "see everybody's jobs" in said[1].found
    assert "as himself" in said[2].found
