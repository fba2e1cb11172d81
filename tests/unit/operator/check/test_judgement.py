"""`check` judges what was found, and says what to do where something is wrong."""

from dataclasses import replace
from datetime import timedelta

import pytest

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.check.facts import Facts, OneCluster, Right, TokenFacts
from waldur_slurm.operator.check.judgement import SCOPES, judge
from waldur_slurm.operator.config_map import CLUSTERS, CONFIG, SlurmConfig, read_config
from waldur_slurm.operator.errors import Gone, NotAllowed, Silent
from waldur_slurm.operator.jobs.port import ClusterFacts, Unreached
from waldur_slurm.service.check.findings import Finding, Verdict

SITE = "alpha: {url: 'https://login1:8443', namespaces: {physics: {user: p}, bio: {user: b}}}\n"
TOKEN = TokenFacts(frozenset(SCOPES), frozenset({"p", "b"}))
SLURM = ClusterFacts("22.05.8", keeps_comments=True, min_job_age=timedelta(minutes=5))


def config(text: str = SITE) -> SlurmConfig:
    return read_config({CONFIG: "", CLUSTERS: text})


def facts(
    slurm: ClusterFacts | ExpectedError = SLURM, text: str = SITE, token: TokenFacts = TOKEN
) -> Facts:
    named = config(text)
    return Facts(
        server="https://10.0.0.1:6443",
        version="v1.20.2",
        kind=True,
        lacking=(),
        source="-n slurm slurm-config",
        config=named,
        clusters=[OneCluster(each, slurm, token) for each in named.clusters.values()],
    )


def bad(found: Facts) -> list[Finding]:
    return [each for each in judge(found) if each.verdict is not Verdict.OK]


def test_where_all_is_well_every_line_says_so() -> None:
    found = judge(facts())

    assert bad(facts()) == []
    assert [each.subject for each in found] == [
        "API server",
        "SlurmJobs",
        "rights",
        "slurm-config",
        "cluster alpha",
        "cluster alpha, token",
        "cluster alpha, namespaces",
    ]
    assert found[-1].found == "bio, physics"


@pytest.mark.parametrize(
    ("found", "subject", "verdict", "words"),
    [
        (replace(facts(), kind=False), "SlurmJobs", Verdict.FAILED, "kubectl apply -f deploy/crds"),
        (
            replace(facts(), lacking=(Right("patch", "slurmjobs/status", "slurm.sylabs.io"),)),
            "rights",
            Verdict.FAILED,
            "patch slurmjobs/status.slurm.sylabs.io everywhere",
        ),
        (
            replace(facts(), lacking=NotAllowed("no")),
            "rights",
            Verdict.FAILED,
            "kubectl apply -k deploy",
        ),
        (
            replace(facts(), config=Gone("not found"), clusters=()),
            "slurm-config",
            Verdict.FAILED,
            "kubectl create configmap -n slurm slurm-config --from-file=clusters=",
        ),
        (
            facts(text=f"{SITE}beta: {{url: ftp}}\n"),
            "slurm-config",
            Verdict.FAILED,
            "line 2: beta",
        ),
        (facts(Unreached("refused")), "cluster alpha", Verdict.FAILED, "token list"),
        (
            facts(token=replace(TOKEN, scopes=TOKEN.scopes - {"jobs:submit"})),
            "cluster alpha, token",
            Verdict.FAILED,
            "it lacks jobs:submit",
        ),
        (
            facts(token=replace(TOKEN, users=frozenset({"p"}))),
            "cluster alpha, token",
            Verdict.FAILED,
            "it does not act for b,",
        ),
        (
            facts(replace(SLURM, keeps_comments=False)),
            "cluster alpha, comments",
            Verdict.WARNING,
            "AccountingStoreFlags=job_comment",
        ),
        (
            facts(text="alpha: {url: 'https://login1:8443'}\n"),
            "cluster alpha, namespaces",
            Verdict.WARNING,
            "under namespaces",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    found: Facts, subject: str, verdict: Verdict, words: str
) -> None:
    (one,) = bad(found)

    assert (one.subject, one.verdict) == (subject, verdict)
    assert words in f"{one.found} {one.advice}"


def test_users_that_follow_from_a_namespaces_name_are_not_asked_of_the_token() -> None:
    by_name = SITE.replace("{user: b}", "{user: '{namespace}'}")

    assert bad(facts(text=by_name, token=replace(TOKEN, users=frozenset({"p"})))) == []
    assert bad(facts(token=replace(TOKEN, users=None))) == []


def test_what_hangs_on_a_silent_server_is_not_asked() -> None:
    found = bad(replace(facts(), version=Silent("nobody answered")))

    assert [each.verdict for each in found] == [Verdict.FAILED, *[Verdict.UNKNOWN] * 3]


def test_the_former_configuration_alone_is_a_warning() -> None:
    former = read_config({CONFIG: "n1: {slurm_local: 'http://localhost:8080'}\n"})
    clusters = [OneCluster(each, SLURM) for each in former.clusters.values()]
    found = bad(replace(facts(), config=former, is_former=True, clusters=clusters))

    assert [each.subject for each in found] == ["slurm-config", "cluster n1, namespaces"]
    assert {each.verdict for each in found} == {Verdict.WARNING}
