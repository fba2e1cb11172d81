"""Is Slurm fit for the agent? Pure judgements over what was read."""

import re
from collections.abc import Iterator, Mapping

from waldur_slurm.agent.check.facts import Facts, SettingsFacts, SlurmFacts
from waldur_slurm.agent.model.components import Component
from waldur_slurm.errors import ExpectedError, TransportError
from waldur_slurm.model.accounts import Account, Snapshot, is_in_cluster
from waldur_slurm.model.counting import counted
from waldur_slurm.model.names import ROOT, AccountName
from waldur_slurm.service.check.findings import Finding, failed, fine, some_of, unknown, warning
from waldur_slurm.service.check.known import Known

OLDEST_TESTED = (22, 5)

_ASKED = ("controller", "accounting")
_ASKED_OF = {
    "pull": (
        "default account",
        "right to change accounts",
        "TRES in Slurm",
        "limits in force",
        "Unix users",
    ),
    "push": ("right to see everything", "TRES in Slurm"),
}
"""Pull makes accounts and lets people in; push only reads."""


def judge_slurm(facts: Facts) -> Iterator[Finding]:
    slurm = facts.slurm
    if isinstance(slurm, ExpectedError):
        yield failed("Slurm", str(slurm), _reach_advice(slurm))
        asked = (*_ASKED, *_ASKED_OF[facts.settings.direction])
        yield from (unknown(subject, "Slurm does not answer") for subject in asked)
        return
    yield judge_version(slurm.version)
    yield judge_controller(slurm.configuration)
    yield judge_accounting(slurm)
    if facts.settings.direction == "push":
        yield judge_sight(slurm)
        yield judge_tres(slurm, facts.components)
        return
    yield from judge_default_account(slurm.snapshot, facts.settings.default_account)
    yield judge_may_write(slurm.may_write)
    yield judge_tres(slurm, facts.components)
    yield from judge_enforcement(slurm.configuration, facts.components)
    yield judge_unix_users(slurm, facts.settings)


def judge_version(version: str) -> Finding:
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_TESTED:
        return warning("Slurm", version, "this agent is tested on 22.05 and later: upgrade Slurm")
    return fine("Slurm", version)


def judge_controller(configuration: Known[Mapping[str, str]]) -> Finding:
    subject = "controller"
    if isinstance(configuration, ExpectedError):
        return failed(
            subject,
            str(configuration),
            "see that slurmctld and munge run (scontrol ping, systemctl status slurmctld munge),"
            " and that SLURM_CLUSTER_NAME, if set, is one that `sacctmgr show cluster` lists",
        )
    return fine(subject, "slurmctld answers")


def judge_accounting(slurm: SlurmFacts) -> Finding:
    subject, snapshot = "accounting", slurm.snapshot
    if isinstance(snapshot, ExpectedError) and snapshot is slurm.configuration:
        return unknown(subject, "the controller does not answer")
    known = {} if isinstance(slurm.configuration, ExpectedError) else slurm.configuration
    advice = (
        "see that slurmdbd, its database and munge run: sacctmgr show cluster, systemctl"
        " status slurmdbd munge; a cluster that is not listed there is registered by: sacctmgr add"
        f" cluster {known.get('ClusterName', 'NAME')}, and a restart of slurmctld"
    )
    if isinstance(snapshot, ExpectedError):
        return failed(subject, str(snapshot), advice)
    accounts = counted(len(snapshot.accounts), "account")
    if ROOT not in snapshot.accounts or snapshot.accounts[ROOT].associations == ():
        found = f"{accounts}, but no association of root in this cluster"
        return failed(subject, found, advice)
    people = {a.user for account in snapshot.accounts.values() for a in account.associations}
    return fine(subject, f"{accounts}, {counted(len(people), 'user')}")


def judge_default_account(snapshot: Known[Snapshot], name: AccountName) -> Iterator[Finding]:
    subject = "default account"
    if isinstance(snapshot, ExpectedError):
        yield unknown(subject, "the accounting does not answer")
        return
    account = snapshot.accounts.get(name)
    if account is None or not is_in_cluster(account):
        where = "does not exist" if account is None else "is in no association of this cluster"
        yield failed(
            subject,
            f"{name!r} {where}",
            f"make it (sacctmgr add account {name}) or set SLURM_DEFAULT_ACCOUNT to one that is"
            " there",
        )
        return
    burdens = _burdens(account)
    if burdens:
        yield warning(
            subject,
            f"{name!r} carries {', '.join(burdens)}",
            "everything below inherits them: take them off, or choose another account",
        )
    else:
        yield fine(subject, f"{name!r} is there")


def _burdens(account: Account) -> list[str]:
    """What would be inherited by every allocation; every root has a QoS list by itself."""
    found = [f"GrpTRESMins of {tres}" for tres in sorted(account.limits)]
    if account.grp_jobs is not None:
        found.append(f"GrpJobs={account.grp_jobs}")
    if account.grp_submit_jobs is not None:
        found.append(f"GrpSubmitJobs={account.grp_submit_jobs}")
    if account.qos and account.name != ROOT:
        found.append(f"the QoS list {','.join(account.qos)}")
    return found


def judge_may_write(may_write: Known[bool]) -> Finding:
    subject = "right to change accounts"
    if isinstance(may_write, ExpectedError):
        return unknown(subject, "the accounting does not answer")
    if may_write:
        return fine(subject, "Slurm lets this user change accounts")
    return failed(
        subject,
        "Slurm refuses changes by this user",
        "run the agent as root or SlurmUser, or give its user the right: sacctmgr modify user"
        " where name=USER set adminlevel=Operator (Administrator is quicker where accounts are made"
        " by the hundred)",
    )


def judge_sight(slurm: SlurmFacts) -> Finding:
    """Whether this user sees the jobs of others: what is hidden looks like nothing at all."""
    subject = "right to see everything"
    if isinstance(slurm.may_write, ExpectedError):
        return unknown(subject, "the accounting does not answer")
    if slurm.may_write:
        return fine(subject, "this user sees the accounts and jobs of everybody")
    advice = (
        "run the agent as root or SlurmUser, or give its user a level: sacctmgr modify user"
        " where name=USER set adminlevel=Operator"
    )
    configuration = {} if isinstance(slurm.configuration, ExpectedError) else slurm.configuration
    private = configuration.get("PrivateData", "none")
    if private.lower() not in ("", "none"):
        return failed(
            subject,
            f"Slurm hides others' accounts and jobs from this user (PrivateData={private}), and"
            " their usage would be missing",
            advice,
        )
    return warning(
        subject,
        "this user has no level in Slurm: usage of others would be missing as soon as slurm.conf or"
        " slurmdbd.conf sets PrivateData",
        advice,
    )


def judge_tres(slurm: SlurmFacts, components: Known[tuple[Component, ...]]) -> Finding:
    subject = "TRES in Slurm"
    if isinstance(components, ExpectedError):
        return unknown(subject, "the TRES file cannot be read")
    if isinstance(slurm.tres, ExpectedError):
        return unknown(subject, "the accounting does not answer")
    missing = sorted({component.tres for component in components} - slurm.tres)
    if missing:
        return failed(
            subject,
            f"Slurm does not account for {', '.join(missing)}",
            "add it to AccountingStorageTRES in slurm.conf and restart slurmctld, or take it out"
            " of the TRES file",
        )
    number = counted(len(components), "component is", "components are")
    return fine(subject, f"{number} accounted for")


def judge_enforcement(
    configuration: Known[Mapping[str, str]], components: Known[tuple[Component, ...]]
) -> Iterator[Finding]:
    """Does `GrpTRESMins` mean here what the offering says? slurm.conf decides."""
    subject = "limits in force"
    if isinstance(configuration, ExpectedError):
        yield unknown(subject, "slurmctld does not answer")
        return
    periods = (
        {component.limit_period for component in components}
        if not isinstance(components, ExpectedError)
        else set()
    )
    wrong = [*_enforcement_mistakes(configuration), *_reset_mistakes(configuration, periods)]
    for found, advice in wrong:
        yield warning(subject, found, f"in slurm.conf: {advice}")
    if not wrong:
        yield fine(subject, "slurm.conf enforces limits as the offering means them")


def _enforcement_mistakes(configuration: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    enforced = set(configuration.get("AccountingStorageEnforce", "").lower().split(","))
    shown = configuration.get("AccountingStorageEnforce", "nothing")
    if not enforced & {"limits", "safe", "all"}:
        yield (
            f"limits are not enforced (AccountingStorageEnforce={shown})",
            "AccountingStorageEnforce=associations,limits,qos,safe",
        )
    elif not enforced & {"safe", "all"}:
        yield (
            "jobs may start that will overrun their limit",
            "AccountingStorageEnforce=associations,limits,qos,safe",
        )
    if configuration.get("PriorityType", "") != "priority/multifactor":
        yield (
            f"limits on TRES-minutes have no effect under {configuration.get('PriorityType')}",
            "PriorityType=priority/multifactor",
        )


def _reset_mistakes(
    configuration: Mapping[str, str], periods: set[str | None]
) -> Iterator[tuple[str, str]]:
    half_life = configuration.get("PriorityDecayHalfLife", "")
    if re.search(r"[1-9]", half_life):
        yield (
            f"usage decays, so limits are never used up (PriorityDecayHalfLife={half_life})",
            "PriorityDecayHalfLife=0",
        )
    reset = configuration.get("PriorityUsageResetPeriod", "NONE").upper()
    if "month" in periods and reset != "MONTHLY":
        yield (
            f"monthly limits are not set back each month (PriorityUsageResetPeriod={reset})",
            "PriorityUsageResetPeriod=MONTHLY",
        )
    if "total" in periods and reset != "NONE":
        yield (
            f"total limits are set back (PriorityUsageResetPeriod={reset})",
            "PriorityUsageResetPeriod=NONE",
        )
    if {"month", "total"} <= periods:
        yield (
            "the TRES file mixes limit_period month and total, and Slurm knows only one",
            "decide for one of them, and sell the other in an offering of another cluster",
        )


def judge_unix_users(slurm: SlurmFacts, told: SettingsFacts) -> Finding:
    subject = "Unix users"
    missing = slurm.missing_unix_users
    if isinstance(missing, ExpectedError):
        return unknown(subject, str(missing))
    if missing and told.require_unix_users:
        return warning(
            subject,
            f"{counted(len(missing), 'user name does', 'user names do')} not resolve where Slurm"
            f" runs: {some_of(missing)}",
            "each waits for access until `getent passwd NAME` answers there",
        )
    return fine(subject, "every user name that Waldur knows resolves where Slurm runs")


def _reach_advice(error: ExpectedError) -> str:
    if isinstance(error, TransportError):
        return (
            "SLURM_DEPLOYMENT_TYPE says where Slurm's commands run: for docker see that the"
            " container SLURM_CONTAINER_NAME runs and that this user may use Docker; for native"
            " that sacctmgr and sacct are in PATH or in SLURM_BIN_PATH"
        )
    return "run the command by hand where Slurm runs"
