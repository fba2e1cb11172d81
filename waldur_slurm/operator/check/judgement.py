"""The operator's `check`: everything that was found, in the order in which to mend it. Pure."""

from collections.abc import Iterator

from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.counting import counted
from waldur_slurm.operator.check.facts import Facts, OneCluster
from waldur_slurm.operator.config_map import CLUSTERS, CONFIG
from waldur_slurm.operator.model.cluster import NAMESPACE, BySsh
from waldur_slurm.service.check.findings import Finding, failed, fine, some_of, unknown, warning

_ROLES = "give the operator's account the roles of deploy/: kubectl apply -k deploy"


SCOPES = (
    "cluster:read",
    "jobs:read",
    "jobs:submit",
    "jobs:cancel",
    "jobs:control",
    "files:read",
)
"""What the operator's token has to open."""


def judge(facts: Facts) -> tuple[Finding, ...]:
    return (*_judge_server(facts), *_judge_config(facts), *_judge_clusters(facts))


def _judge_server(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.version, ExpectedError):
        yield failed(
            "API server",
            str(facts.version),
            "see that KUBECONFIG names a server that is reached from here, and a token that it"
            " takes; in a pod, that its service account has a token mounted",
        )
        yield unknown("SlurmJobs", "see API server")
        yield unknown("rights", "see API server")
        return
    yield fine("API server", f"{facts.server}, Kubernetes {facts.version}")
    if facts.kind is True:
        yield fine("SlurmJobs", "the server knows them")
    else:
        found = (
            str(facts.kind) if isinstance(facts.kind, ExpectedError) else "it does not know them"
        )
        advice = (
            "kubectl apply -f deploy/crds/slurmjobs.yaml; the CRD of an older operator goes first"
        )
        yield failed("SlurmJobs", found, advice)
    yield _judge_rights(facts)


def _judge_rights(facts: Facts) -> Finding:
    if isinstance(facts.lacking, ExpectedError):
        return failed("rights", str(facts.lacking), _ROLES)
    if facts.lacking:
        missing = "; ".join(map(str, facts.lacking))
        return failed("rights", f"the operator may not {missing}", _ROLES)
    return fine("rights", "all that is needed for SlurmJobs")


def _judge_config(facts: Facts) -> Iterator[Finding]:
    subject = "slurm-config"
    config = facts.config
    if isinstance(facts.version, ExpectedError):
        yield unknown(subject, "see API server")
        return
    if isinstance(config, ExpectedError):
        advice = (
            f"kubectl create configmap {facts.source} --from-file={CLUSTERS}=clusters.yaml, as"
            " docs/operator.md has it"
        )
        yield failed(subject, str(config), advice)
        return
    key = CONFIG if facts.is_former else CLUSTERS
    for each in config.findings:
        if each.key == key:
            yield failed(subject, str(each), f"correct that line: kubectl edit cm {facts.source}")
    if not config.clusters:
        yield failed(
            subject, "it names no cluster", f"name one under the key {CLUSTERS}: docs/operator.md"
        )
    elif facts.is_former:
        yield warning(
            subject,
            "it has no clusters, so every namespace may use every Slurm that its config names, as"
            " the gateway's own user",
            f"say under the key {CLUSTERS} who may, and as whom: docs/operator.md",
        )
    else:
        yield fine(subject, f"it names {counted(len(config.clusters), 'cluster')}")


def _judge_clusters(facts: Facts) -> Iterator[Finding]:
    for each in facts.clusters:
        yield from _judge_cluster(each)


def _judge_cluster(one: OneCluster) -> Iterator[Finding]:
    cluster, facts = one.cluster, one.facts
    subject = f"cluster {cluster.name}"
    if facts is None:
        yield warning(
            subject,
            "not asked: it is reached over the ssh accounts that SlurmJobs bring, and none that is"
            " there opens",
            "apply a SlurmJob that brings one, in a namespace with ssh: true, and check again",
        )
    elif isinstance(facts, ExpectedError):
        yield failed(
            subject,
            str(facts),
            "see that the login host answers at its address from here, and that known_hosts has"
            " its key"
            if isinstance(cluster.by, BySsh)
            else "see that the gateway answers at its url from here, that its token is mounted and"
            " valid, and that it may read the cluster: slurm-gateway token list",
        )
    else:
        yield fine(subject, f"Slurm {facts.version or 'of an unknown version'} answers")
        if not facts.keeps_comments:
            yield warning(
                f"{subject}, comments",
                "its accounting keeps no comments, so a job whose answer was lost is found for"
                f" {facts.min_job_age.total_seconds():.0f} s only; after that a person decides",
                "set AccountingStoreFlags=job_comment in slurm.conf, and restart slurmctld",
            )
        yield from _judge_token(one)
    for each in one.shut:
        yield warning(
            f"{subject}, accounts",
            f"not asked over {each}",
            "put a private key without a passphrase into that Secret, and its public one into"
            " ~/.ssh/authorized_keys of the login host",
        )
    yield _judge_namespaces(one)


def _judge_token(one: OneCluster) -> Iterator[Finding]:
    token = one.token
    if token is None or isinstance(token, ExpectedError):
        return
    subject = f"cluster {one.cluster.name}, token"
    missing = [each for each in SCOPES if each not in token.scopes]
    if missing:
        advice = f"make one that has them: slurm-gateway token make --scopes {','.join(SCOPES)}"
        yield failed(subject, f"it lacks {', '.join(missing)}", advice)
    strangers = [] if token.users is None else sorted(_named_users(one) - token.users)
    if strangers:
        yield failed(
            subject,
            f"it does not act for {some_of(strangers)}, as whom namespaces' jobs run there",
            "name them when you make one: slurm-gateway token make --run-as",
        )
    if not missing and not strangers:
        yield fine(subject, "it opens what SlurmJobs take")


def _named_users(one: OneCluster) -> frozenset[str]:
    """Return those users that do not follow from a namespace's own name."""
    users = {each.user for each in one.cluster.namespaces.values()}
    return frozenset(user for user in users if NAMESPACE not in user)


def _judge_namespaces(one: OneCluster) -> Finding:
    cluster = one.cluster
    subject = f"cluster {cluster.name}, namespaces"
    if cluster.is_open_to_all:
        return warning(subject, "all may use it", f"name them under {CLUSTERS}: docs/operator.md")
    if not cluster.namespaces:
        advice = "name them, and as whom their jobs run, under namespaces: docs/operator.md"
        return warning(subject, "none may use it", advice)
    return fine(subject, some_of(cluster.namespaces))
