"""Which cluster a SlurmJob goes to, as whom, and with which options; or why nowhere. Pure.

Whom a job runs as is the site's to say, never the job's. A refusal says what to do, and to whom.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from waldur_slurm.operator.model.cluster import (
    INTEGRATION_TYPE,
    WORKLOAD_MANAGER,
    BySsh,
    Cluster,
    RunsAs,
)
from waldur_slurm.operator.model.slurm_job import GROUP, Results, SlurmJob, Ssh

_OPTION = re.compile(r"[a-z][a-z0-9-]{0,63}")
OURS_ALONE = frozenset({"comment", "parsable", "wait", "uid", "gid", "wrap", "cluster", "clusters"})
"""Options that would break the mark, borrow rights, or lead to where nobody looks."""

ACCOUNT = "account"
_CONFIG = "the ConfigMap slurm-config"


@dataclass(frozen=True, slots=True)
class Placed:
    cluster: Cluster
    user: str
    """Empty where the way to Slurm has a user of its own."""
    options: Mapping[str, str | int | bool]
    ssh: Ssh | None = None

    @property
    def whom(self) -> str:
        """Say as whom, and on which account."""
        user = f"as {self.user}" if self.user else "as the gateway's own user"
        account = self.options.get(ACCOUNT)
        return f"{user} on account {account}" if account else user


@dataclass(frozen=True, slots=True)
class Unplaced:
    """`reason` is one word; `sentence` says what to do."""

    reason: str
    sentence: str


Placement = Placed | Unplaced


def place(job: SlurmJob, clusters: Mapping[str, Cluster]) -> Placement:
    """Choose for one that has no place yet; for one that has, judge whether it may go there."""
    chosen = _chosen(job, clusters)
    if isinstance(chosen, Unplaced):
        return chosen
    runs_as = chosen.runs_as(job.namespace)
    if runs_as is None:
        return Unplaced(
            "NamespaceUnknown",
            f"nobody has said as whom jobs of the namespace {job.namespace} run on cluster"
            f" {chosen.name}: its administrator names it there under namespaces, in {_CONFIG}",
        )
    refusal = _judge_results(job) or _judge_ssh(job, chosen, runs_as)
    return refusal or _with_options(job, chosen, runs_as)


def _chosen(job: SlurmJob, clusters: Mapping[str, Cluster]) -> Cluster | Unplaced:
    wanted = job.place or job.spec.cluster
    if wanted:
        return clusters.get(wanted) or Unplaced(
            "NoSuchCluster", f"there is no cluster {wanted} in {_CONFIG}; {_there(clusters)}"
        )
    fitting = [each for _, each in sorted(clusters.items()) if fits(job, each)]
    allowed = [each for each in fitting if each.runs_as(job.namespace)]
    defaults = [each for each in allowed if each.is_default]
    if len(allowed) == 1 or (allowed and all(each.is_open_to_all for each in allowed)):
        return allowed[0]
    if len(defaults) == 1:
        return defaults[0]
    if allowed:
        names = ", ".join(each.name for each in allowed)
        return Unplaced("SeveralClusters", f"{names} would do: say which in spec.cluster")
    return fitting[0] if fitting else _nowhere(job, clusters)


def fits(job: SlurmJob, cluster: Cluster) -> bool:
    """Whether a cluster carries what the job selects, and advertises what it asks for."""
    return not any(_lacks(job, cluster))


def _lacks(job: SlurmJob, cluster: Cluster) -> Iterator[str]:
    labels = _labels(cluster)
    for name, value in job.spec.node_selector.items():
        if labels.get(name) != value:
            yield f"{name}={value}"
    resources = {f"{GROUP}/{name}": count for name, count in cluster.resources.items()}
    for name, count in job.spec.resources.items():
        if resources.get(name, 0) < count:
            yield f"{count} of {name}"


def _labels(cluster: Cluster) -> dict[str, str]:
    own = {f"{GROUP}/{name}": value for name, value in cluster.labels.items()}
    kind = "ssh" if isinstance(cluster.by, BySsh) else "local"
    return {WORKLOAD_MANAGER: "slurm", INTEGRATION_TYPE: kind, **own}


def _nowhere(job: SlurmJob, clusters: Mapping[str, Cluster]) -> Unplaced:
    if not clusters:
        return Unplaced(
            "NoCluster", f"there is no cluster in {_CONFIG}: its administrator adds one"
        )
    lacks = "; ".join(
        f"{name} has not {', '.join(_lacks(job, each))}" for name, each in sorted(clusters.items())
    )
    return Unplaced(
        "NothingFits",
        f"no cluster carries what nodeSelector and resources ask for: {lacks}; change them, or"
        " name the cluster in spec.cluster and leave them out",
    )


def _there(clusters: Mapping[str, Cluster]) -> str:
    return f"there are {', '.join(sorted(clusters))}" if clusters else "there is none at all"


def _judge_results(job: SlurmJob) -> Unplaced | None:
    results = job.spec.results
    if results is None or results.is_claim:
        return None
    return Unplaced("NotAClaim", no_claim(job.namespace, results))


def no_claim(namespace: str, results: Results) -> str:
    """Say what is mounted for nobody, and what to name instead."""
    named = ", ".join(results.others) or (results.claim and f"{results.claim!r}") or "no claim"
    return (
        f"spec.results.mount names {named}: it takes a claim of the namespace {namespace} and"
        " nothing else, by its name alone. Name it in persistentVolumeClaim.claimName, or leave out"
        " spec.results"
    )


def _judge_ssh(job: SlurmJob, cluster: Cluster, runs_as: RunsAs) -> Unplaced | None:
    if job.spec.ssh is None:
        if isinstance(cluster.by, BySsh):
            return Unplaced(
                "NoAccount",
                f"cluster {cluster.name} is reached over ssh alone: name the account, and the"
                " Secret with its key, in spec.ssh",
            )
        return None
    if not isinstance(cluster.by, BySsh):
        return Unplaced(
            "NoSsh", f"cluster {cluster.name} is not reached over ssh: leave out spec.ssh"
        )
    if not runs_as.may_use_ssh:
        return Unplaced(
            "SshNotOpen",
            f"jobs of the namespace {job.namespace} may bring no ssh account of their own: leave"
            f" out spec.ssh, or let its administrator open it (ssh: true, in {_CONFIG})",
        )
    if job.spec.ssh.key is None:
        return Unplaced(
            "NoKey",
            "spec.ssh names no key: put the public key into ~/.ssh/authorized_keys of the login"
            " host, and name the private one's Secret in spec.ssh.key; passwords are not used",
        )
    return None


def _with_options(job: SlurmJob, cluster: Cluster, runs_as: RunsAs) -> Placement:
    for name, value in sorted(job.spec.options.items()):
        if refusal := _judge_option(name, value, runs_as):
            return refusal
    options = {**job.spec.options}
    if runs_as.account:
        options.setdefault(ACCOUNT, runs_as.account)
    ssh = job.spec.ssh
    return Placed(cluster, ssh.user if ssh else runs_as.user, options, ssh)


def _judge_option(name: str, value: object, runs_as: RunsAs) -> Unplaced | None:
    if name in OURS_ALONE or not _OPTION.fullmatch(name):
        return Unplaced("OptionRefused", f"spec.options: {name} is no option that a job may set")
    if not isinstance(value, str | int | bool) or "\n" in str(value) or "\0" in str(value):
        return Unplaced(
            "OptionRefused", f"spec.options: {name} takes one line of text, a number or true"
        )
    if name == ACCOUNT and runs_as.account:
        is_open = runs_as.options is not None and ACCOUNT in runs_as.options
        if value != runs_as.account and not is_open:
            return Unplaced(
                "OptionRefused",
                f"jobs of this namespace run on account {runs_as.account}: leave out"
                " spec.options.account",
            )
        return None
    if runs_as.options is not None and name not in runs_as.options:
        allowed = ", ".join(sorted(runs_as.options)) or "none"
        return Unplaced(
            "OptionRefused",
            f"spec.options: {name} is not among those that this namespace may set ({allowed})",
        )
    return None
