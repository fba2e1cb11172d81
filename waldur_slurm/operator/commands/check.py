"""`check`: judge everything that a newcomer may have got wrong; changes nothing."""

import argparse
from contextlib import closing

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.check.facts import Facts, OneCluster, Right
from waldur_slurm.operator.check.judgement import judge
from waldur_slurm.operator.composition import Parts
from waldur_slurm.operator.config_map import CLUSTERS
from waldur_slurm.operator.kube import asking
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.operator.model.slurm_job import GROUP, PLURAL
from waldur_slurm.operator.ways.gateway_jobs import GatewayJobs
from waldur_slurm.service.check.known import known
from waldur_slurm.service.check.report import report


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
    named = () if isinstance(read, ExpectedError) else read.clusters.values()
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
        clusters=[_one(parts, each) for each in named],
    )


def _one(parts: Parts, cluster: Cluster) -> OneCluster:
    way = parts.way_to(cluster)
    if not isinstance(way, GatewayJobs):
        return OneCluster(cluster, None)
    with closing(way):
        return OneCluster(cluster, known(way.read_facts), known(way.read_token_facts))


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
