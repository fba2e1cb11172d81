"""Is each cluster fit to be shown? Pure judgements over what was read."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.check.facts import ClusterFacts, SettingsFacts
from waldur_slurm.gateway.picture.hidden import hidden_by, is_above
from waldur_slurm.service.check.findings import Finding, failed, fine, unknown, warning

OLDEST_TESTED = (22, 5)
CLOCKS_APART = timedelta(seconds=5)
"""Ages of what is shown, and times of submission by which a job is known, are compared."""

LEAST_MEMORY_S = 60
_ASKED = ("sight", "memory", "accounting", "comments", "clock")


def judge_cluster(cluster: ClusterFacts, told: SettingsFacts) -> Iterator[Finding]:
    subject, configuration = f"Slurm {cluster.name}".strip(), cluster.configuration
    if isinstance(configuration, ExpectedError):
        yield failed(
            subject,
            str(configuration),
            f"see that slurmctld and munge run (`scontrol ping` as {told.reads_as}), that"
            " SLURM_BIN_PATH, if set, is the folder of Slurm's commands, and that"
            " SLURM_CONF or GATEWAY_CLUSTERS names the slurm.conf of this cluster",
        )
        yield from (unknown(f"{subject}: {each}", "Slurm does not answer") for each in _ASKED)
        return
    yield _judge_version(subject, configuration)
    yield _judge_sight(f"{subject}: sight", cluster, configuration, told.reads_as)
    yield _judge_memory(f"{subject}: memory", configuration, told.jobs_age_s)
    yield _judge_accounting(f"{subject}: accounting", cluster, configuration)
    if told.acts:
        yield _judge_comments(f"{subject}: comments", configuration)
    yield _judge_clock(f"{subject}: clock", cluster)


def _judge_version(subject: str, configuration: Mapping[str, str]) -> Finding:
    version = configuration.get("SLURM_VERSION", "")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_TESTED:
        return warning(subject, version, "the gateway is tested on 22.05 and later: upgrade Slurm")
    return fine(subject, f"slurmctld {version} answers")


def _judge_sight(
    subject: str, cluster: ClusterFacts, configuration: Mapping[str, str], user: str
) -> Finding:
    private = cluster.private if _has_accounting(configuration) else ()
    people = cluster.people
    if isinstance(private, ExpectedError):
        return unknown(subject, "the accounting does not say what it hides")
    hidden = hidden_by(configuration, private)
    if not hidden:
        return fine(subject, "Slurm hides nothing of others")
    known = () if isinstance(people, ExpectedError) else people
    if is_above(user, configuration, known):
        return fine(subject, f"{user} sees what PrivateData hides: {', '.join(hidden)}")
    return failed(
        subject,
        f"PrivateData hides from {user} what others have: {', '.join(hidden)}",
        f"make {user} an operator: sacctmgr -i add user {user} account=root"
        " adminlevel=Operator (where it is a user already: sacctmgr -i modify user"
        f" {user} set adminlevel=Operator)",
    )


def _judge_memory(subject: str, configuration: Mapping[str, str], jobs_age_s: float) -> Finding:
    seconds = re.match(r"\d+", configuration.get("MinJobAge", ""))
    if seconds is None:
        return fine(subject, "slurmctld does not tell MinJobAge")
    least = max(LEAST_MEMORY_S, int(4 * jobs_age_s))
    found = f"slurmctld forgets a job {seconds[0]} s after its end"
    if 0 < int(seconds[0]) < least:
        return warning(
            subject,
            f"{found}: one may end and be gone between two looks at the queue",
            f"set MinJobAge={max(300, least)} in slurm.conf and `scontrol reconfigure`",
        )
    return fine(subject, found)


def _judge_accounting(
    subject: str, cluster: ClusterFacts, configuration: Mapping[str, str]
) -> Finding:
    if not _has_accounting(configuration):
        return warning(
            subject,
            "there is none: /history is empty, and how a job ended is known for MinJobAge only",
            "let slurmctld write to a slurmdbd: AccountingStorageType=accounting_storage/slurmdbd"
            " in slurm.conf",
        )
    if isinstance(cluster.people, ExpectedError):
        return failed(
            subject,
            str(cluster.people),
            "see that slurmdbd, its database and munge run: `sacctmgr show cluster` as the"
            " gateway's user, and systemctl status slurmdbd munge where it runs",
        )
    return fine(subject, "slurmdbd answers")


def _has_accounting(configuration: Mapping[str, str]) -> bool:
    return configuration.get("AccountingStorageType", "").endswith("/slurmdbd")


def _judge_comments(subject: str, configuration: Mapping[str, str]) -> Finding:
    kept = configuration.get("AccountingStoreFlags", "").lower().split(",")
    if "job_comment" in kept:
        return fine(subject, "the accounting keeps jobs' comments, so a lost answer can be settled")
    return warning(
        subject,
        "the accounting keeps no comments: a submission whose answer was lost for longer than"
        " MinJobAge stays open, and a person has to look",
        "add job_comment to AccountingStoreFlags in slurm.conf and restart slurmctld",
    )


def _judge_clock(subject: str, cluster: ClusterFacts) -> Finding:
    told = cluster.told
    if isinstance(told, ExpectedError):
        return unknown(subject, "slurmctld does not say what time it is")
    apart = abs(told - cluster.asked)
    found = f"this host and slurmctld are {apart.total_seconds():.0f} s apart"
    if apart > CLOCKS_APART:
        return warning(subject, found, "let both follow the same time (timedatectl, chrony)")
    return fine(subject, found)
