"""`check`: judge everything that a newcomer may have got wrong; changes nothing."""

import argparse
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.check.facts import Facts, OneCluster, Right
from waldur_slurm.operator.check.judgement import judge
from waldur_slurm.operator.composition import Parts
from waldur_slurm.operator.config_map import CLUSTERS
from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.operator.jobs.placement import Placed, place
from waldur_slurm.operator.jobs.plan import concerns
from waldur_slurm.operator.kube import asking
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.operator.model.slurm_job import GROUP, PLURAL, SlurmJob
from waldur_slurm.operator.ways.gateway_jobs import GatewayJobs
from waldur_slurm.operator.ways.ssh_doors import SshDoors
from waldur_slurm.service.check.known import Known, known
from waldur_slurm.service.check.report import report

MOST_ASKED = 5
"""Accounts of one login host, each of which may take its time to say nothing."""


def check(parts: Parts, arguments: argparse.Namespace) -> int:
    findings = judge(facts_of(parts))
    return report(
        parts.display,
        findings,
        as_json=arguments.json,
        can="The operator can run",
        cannot="The operator cannot run yet",
    )


def facts_of(parts: Parts) -> Facts:
    talk = parts.talk()
    settings = parts.settings
    config = known(parts.read_config)
    read, found = (config, {}) if isinstance(config, ExpectedError) else config
    named = {} if isinstance(read, ExpectedError) else read.clusters
    jobs = known(parts.list_slurm_jobs)
    return Facts(
        server=parts.access.server,
        version=known(lambda: asking.read_version(talk)),
        kind=known(lambda: asking.knows_slurm_jobs(talk)),
        lacking=known(
            lambda: asking.lacking(talk, rights(settings.namespace, settings.config_map))
        ),
        source=f"-n {settings.namespace} {settings.config_map}",
        config=read,
        is_former=CLUSTERS not in found,
        clusters=[_one(parts, each, named, jobs) for each in named.values()],
    )


def _one(
    parts: Parts, cluster: Cluster, clusters: Mapping[str, Cluster], jobs: Known[Snapshot]
) -> OneCluster:
    way = parts.way_to(cluster, only_reads=True)
    with closing(way):
        if isinstance(way, GatewayJobs):
            return OneCluster(cluster, known(way.read_facts), known(way.read_token_facts))
        if isinstance(jobs, ExpectedError):
            return OneCluster(cluster, None, shut=(f"any account: {jobs}",))
        allowed = [job for job in jobs.jobs if concerns(job) and is_let_in(job, cluster, clusters)]
        return ask_over_ssh(way, cluster, allowed)


def ask_over_ssh(doors: SshDoors, cluster: Cluster, jobs: Iterable[SlurmJob]) -> OneCluster:
    """Ask over the accounts that may be used there, one after the other, until one answers."""
    shut: list[str] = []
    brought = {(job.namespace, job.spec.ssh): job for job in jobs}
    for (namespace, ssh), job in [*brought.items()][:MOST_ASKED]:
        doors.admit({job.uid: job})
        found = doors.look_up([job.uid], datetime.now(UTC))
        if why := found.shut.get(job.uid):
            secret = ssh.key.name if ssh and ssh.key else ""
            user = ssh.user if ssh else ""
            shut.append(f"{user} by the Secret {secret} of the namespace {namespace}: {why}")
            continue
        return OneCluster(cluster, known(doors.read_facts), shut=tuple(shut))
    if len(brought) > MOST_ASKED:
        shut.append(f"{len(brought) - MOST_ASKED} more: so many were not tried")
    return OneCluster(cluster, None, shut=tuple(shut))


def is_let_in(job: SlurmJob, cluster: Cluster, clusters: Mapping[str, Cluster]) -> bool:
    """Whether the administrator lets it bring its account to this cluster."""
    placed = place(job, clusters)
    return isinstance(placed, Placed) and placed.cluster == cluster and placed.ssh is not None


def rights(namespace: str, config_map: str) -> tuple[Right, ...]:
    """Return all that `run` needs but for results and ssh, which are open in single namespaces."""
    kept = "slurm-operator-kept"
    return (
        *(Right(verb, PLURAL, GROUP) for verb in ("list", "watch", "patch")),
        Right("patch", f"{PLURAL}/status", GROUP),
        *(Right(verb, "events") for verb in ("get", "create", "patch")),
        Right("get", "namespaces", name="kube-system"),
        Right("get", "configmaps", namespace=namespace, name=config_map),
        *(Right(verb, "configmaps", namespace=namespace, name=kept) for verb in ("get", "patch")),
        Right("create", "configmaps", namespace=namespace),
    )
