"""`check` asks a login host over the accounts of SlurmJobs, as far as their keys open them."""

from dataclasses import replace

from tests.unit.operator.check.test_judgement import facts
from tests.unit.operator.test_ssh_doors import Host, Picky
from waldur_slurm.operator.check.facts import OneCluster
from waldur_slurm.operator.check.judgement import judge
from waldur_slurm.operator.commands.check import MOST_ASKED, ask_over_ssh, is_let_in
from waldur_slurm.operator.config_map import CLUSTERS, read_config
from waldur_slurm.operator.jobs.port import ClusterFacts
from waldur_slurm.operator.model.slurm_job import SlurmJob
from waldur_slurm.service.check.findings import Verdict

SITE = "alpha: {ssh: 'login1:22', knownHosts: keys, namespaces: {physics: {user: p, ssh: true}}}"
CONFIG = read_config({CLUSTERS: SITE})
ALPHA = CONFIG.clusters["alpha"]


def asked(host: Host, *jobs: SlurmJob) -> OneCluster:
    return ask_over_ssh(host.doors, ALPHA, jobs)


def said(one: OneCluster) -> dict[str, tuple[Verdict, str]]:
    findings = judge(replace(facts(text=SITE), clusters=[one]))
    return {each.subject: (each.verdict, each.found) for each in findings}


def test_a_cluster_is_asked_over_the_first_account_that_opens_and_others_are_named() -> None:
    host = Picky(secrets={("physics", "mine"): "KEY A", ("else", "mine"): "WRONG"})
    one = asked(host, host.job("gone"), host.job("else"), host.job())

    assert isinstance(one.facts, ClusterFacts)
    verdict, found = said(one)["cluster alpha, accounts"]
    assert (verdict, said(one)["cluster alpha"][0]) == (Verdict.WARNING, Verdict.OK)
    assert "over ann by the Secret mine of the namespace else: login1 does not let ann in" in found
    assert 'secrets "mine" not found' in one.shut[0]


def test_a_login_host_that_is_silent_is_a_failure_and_nobody_elses_account_is_tried() -> None:
    host = Host(secrets={("physics", "mine"): "KEY A", ("else", "mine"): "KEY B"})
    host.queue.is_silent = True
    one = asked(host, host.job(), host.job("else"))

    verdict, found = said(one)["cluster alpha"]
    assert (verdict, found) == (Verdict.FAILED, "slurmctld does not answer")
    assert len(host.opened) == 1


def test_where_no_account_is_there_that_opens_it_says_that_nobody_was_asked() -> None:
    host = Host()
    verdict, found = said(asked(host))["cluster alpha"]

    assert verdict is Verdict.WARNING
    assert found.startswith("not asked: it is reached over the ssh accounts")


def test_of_many_accounts_a_few_are_tried() -> None:
    host = Picky(secrets={(f"n{each}", "mine"): "WRONG" for each in range(MOST_ASKED + 2)})
    one = asked(host, *(host.job(f"n{each}") for each in range(MOST_ASKED + 2)))

    assert (one.facts, len(host.denied.asked)) == (None, MOST_ASKED)
    assert one.shut[-1] == "2 more: so many were not tried"


def test_no_key_is_used_that_its_administrator_did_not_let_in() -> None:
    host = Host()
    jobs = [host.job(), host.job("else"), host.kube.job(host.kube.apply("plain"))]

    assert [is_let_in(job, ALPHA, CONFIG.clusters) for job in jobs] == [True, False, False]
