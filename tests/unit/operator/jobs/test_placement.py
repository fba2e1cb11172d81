"""A SlurmJob goes where its words lead, as whom the site says; where it cannot, it hears why."""

from typing import Any

import pytest

from tests.fakes.kube_jobs import FakeKube
from waldur_slurm.operator.config_map import CLUSTERS, CONFIG, read_config
from waldur_slurm.operator.jobs.placement import Placed, Unplaced, place
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.operator.model.slurm_job import SlurmJob

SITE = """\
alpha:
  url: https://login1:8443
  default: true
  labels: {containers: singularity, cuda: 10.0}
  resources: {cpu: 4}
  namespaces:
    physics: {user: svc-physics, account: physics}
    "team-*": {user: "{namespace}", options: [partition, time]}
    bio: {user: bio, account: bio, options: [account, qos]}
beta:
  url: https://login2:8443
  labels: {infiniband: yes}
  resources: {cpu: 64}
  namespaces:
    physics: {user: phys}
gamma:
  ssh: login3
  knownHosts: keys
  namespaces:
    opened: {user: nobody, ssh: true}
    shut: {user: nobody}
"""
CLAIM = {"persistentVolumeClaim": {"claimName": "data"}}
SEED = """\
minikube: {slurm_local: "http://localhost:8080", labels: {containers: singularity}}
"""


def clusters(text: str = SITE, key: str = CLUSTERS) -> dict[str, Cluster]:
    config = read_config({CONFIG: "", key: text})
    assert config.findings == ()
    return dict(config.clusters)


def job(namespace: str = "physics", **spec: Any) -> SlurmJob:
    kube = FakeKube()
    return kube.job(kube.apply(namespace=namespace, **spec))


def placed(**spec: Any) -> Placed:
    found = place(job(**spec), clusters())
    assert isinstance(found, Placed)
    return found


def unplaced(**spec: Any) -> Unplaced:
    found = place(job(**spec), clusters())
    assert isinstance(found, Unplaced)
    return found


@pytest.mark.parametrize(
    ("spec", "cluster"),
    [
        ({}, "alpha"),
        ({"cluster": "beta"}, "beta"),
        ({"nodeSelector": {"slurm.sylabs.io/containers": "singularity"}}, "alpha"),
        ({"nodeSelector": {"slurm.sylabs.io/cuda": "10.0"}}, "alpha"),
        ({"nodeSelector": {"slurm.sylabs.io/infiniband": "yes"}}, "beta"),
        ({"nodeSelector": {"slurm.sylabs.io/workload-manager": "slurm"}}, "alpha"),
        ({"resources": {"slurm.sylabs.io/cpu": 5}}, "beta"),
        ({"resources": {"slurm.sylabs.io/cpu": 4}}, "alpha"),
    ],
)
def test_words_lead_to_a_cluster(spec: dict[str, Any], cluster: str) -> None:
    assert placed(**spec).cluster.name == cluster


def test_whom_it_runs_as_is_the_sites_to_say() -> None:
    physics, team = placed(), placed(namespace="team-a", options={"time": "1:00"})

    assert (physics.user, physics.options) == ("svc-physics", {"account": "physics"})
    assert (team.user, team.options) == ("team-a", {"time": "1:00"})
    assert placed(namespace="bio", options={"account": "other"}).options == {"account": "other"}


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        ({"cluster": "delta"}, "NoSuchCluster", "there are alpha, beta, gamma"),
        ({"nodeSelector": {"slurm.sylabs.io/cuda": "10"}}, "NothingFits", "alpha has not slurm."),
        ({"resources": {"slurm.sylabs.io/cpu": 65}}, "NothingFits", "65 of slurm.sylabs.io/cpu"),
        ({"namespace": "else"}, "NamespaceUnknown", "names it there under namespaces"),
        ({"options": {"comment": "x"}}, "OptionRefused", "comment is no option"),
        ({"options": {"uid": 0}}, "OptionRefused", "uid is no option"),
        ({"options": {"-p": "x"}}, "OptionRefused", "-p is no option"),
        ({"options": {"time": {"a": 1}}}, "OptionRefused", "one line of text"),
        ({"options": {"name": "a\nb"}}, "OptionRefused", "one line of text"),
        ({"options": {"account": "bio"}}, "OptionRefused", "run on account physics"),
        ({"namespace": "team-a", "options": {"qos": "x"}}, "OptionRefused", "(partition, time)"),
        ({"results": {"mount": {"hostPath": {"path": "/"}}}}, "NotAClaim", "names hostPath: it"),
        ({"results": {"mount": {**CLAIM, "hostPath": {}}}}, "NotAClaim", "names hostPath: it"),
        ({"results": {"from": "a.csv"}}, "NotAClaim", "names no claim: it takes a claim of"),
        (
            {"results": {"mount": {"persistentVolumeClaim": {"claimName": "chem/data"}}}},
            "NotAClaim",
            "'chem/data': it takes a claim of the namespace physics and nothing else",
        ),
        ({"ssh": {"user": "u"}}, "NoSsh", "leave out spec.ssh"),
        (
            {"namespace": "shut", "cluster": "gamma", "ssh": {"user": "u"}},
            "SshNotOpen",
            "ssh: true",
        ),
        (
            {"namespace": "opened", "cluster": "gamma", "ssh": {"user": "u"}},
            "NoKey",
            "passwords are not used",
        ),
        ({"namespace": "opened", "cluster": "gamma"}, "NoAccount", "in spec.ssh"),
    ],
)
def test_where_it_cannot_go_it_hears_what_to_do(
    spec: dict[str, Any], reason: str, words: str
) -> None:
    found = unplaced(**spec)

    assert (found.reason, words in found.sentence) == (reason, True), found.sentence


def test_of_several_that_would_do_and_no_default_none_is_guessed() -> None:
    both = SITE.replace("  default: true\n", "")

    found = place(job(), clusters(both))
    assert isinstance(found, Unplaced)
    assert found.sentence == "alpha, beta would do: say which in spec.cluster"


def test_an_ssh_account_goes_where_it_was_opened() -> None:
    key = {"secretKeyRef": {"name": "mine", "key": "id"}}
    found = placed(namespace="opened", cluster="gamma", ssh={"user": "u", "key": key})

    assert (found.user, found.ssh is not None) == ("u", True)


def test_where_the_former_configuration_stands_alone_everybody_may_and_that_is_said() -> None:
    found = place(
        job("anything", nodeSelector={"slurm.sylabs.io/containers": "singularity"}),
        clusters(SEED, CONFIG),
    )

    assert isinstance(found, Placed)
    assert (found.cluster.is_open_to_all, found.whom) == (True, "as the gateway's own user")
