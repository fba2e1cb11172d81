"""What each of Slurm's words for why a job waits means, and what can be done. Pure.

All words that 22.05 to 26.05 know are here; of any other it is said that it is not known.
Slurm may put a text of its own in the place of a word: those that its scheduler has are here too.
"""

from enum import Enum
from typing import NamedTuple

from waldur_slurm.gateway.reasons.limits import limit_of


class Category(Enum):
    """What kind of thing it waits for."""

    RESOURCES = "resources"
    PRIORITY = "priority"
    LIMIT = "limit"
    DEPENDENCY = "dependency"
    HELD = "held"
    RESERVATION = "reservation"
    NODES = "nodes"
    PARTITION = "partition"
    BEGIN_TIME = "begin_time"
    LICENSES = "licenses"
    IMPOSSIBLE = "impossible"
    """It never starts as it is."""
    SLURM = "slurm"
    """Slurm itself is busy with it, or with something that it needs."""
    ENDED = "ended"
    """Why a run ended, not why one waits."""
    NONE = "none"
    """Slurm gives no reason (yet)."""
    UNKNOWN = "unknown"


class Meaning(NamedTuple):
    """`passes`: it can end without anybody doing anything; `whose` limit it is, as `qos`."""

    category: Category
    says: str
    advice: str
    passes: bool = True
    whose: str = ""


_WAIT = "Wait: nothing needs to be done."
_CHANGE = "Cancel it, and submit it with other options; some can be changed while it waits."
_ADMIN = "Ask the administrators."
_LOOK = "Look at its output and its exit code."
_RELEASE = "Release it once the cause is removed."

_WORDS: dict[str, Meaning] = {
    "": Meaning(Category.NONE, "Slurm has not said yet why it waits.", _WAIT),
    "None": Meaning(Category.NONE, "Slurm has not said yet why it waits.", _WAIT),
    "Resources": Meaning(
        Category.RESOURCES,
        "It is next, and what it asks for is not free yet.",
        "Wait; a job that asks for less, or for less time, may start earlier.",
    ),
    "Priority": Meaning(
        Category.PRIORITY,
        "Jobs of a higher priority wait before it.",
        "Wait; with a shorter time limit it may fit in before them.",
    ),
    "Dependency": Meaning(
        Category.DEPENDENCY, "It waits for other jobs.", "Wait until those have ended."
    ),
    "DependencyNeverSatisfied": Meaning(
        Category.DEPENDENCY,
        "It depends on a job that did not end as it had to, so it never starts.",
        "Cancel it, or change its dependency.",
        passes=False,
    ),
    "JobHeldUser": Meaning(
        Category.HELD, "Its owner holds it.", "Release it when it may run.", passes=False
    ),
    "JobHeldAdmin": Meaning(
        Category.HELD,
        "An administrator or Slurm itself holds it.",
        f"{_ADMIN} Its owner cannot release it.",
        passes=False,
    ),
    "JobHoldMaxRequeue": Meaning(
        Category.HELD,
        "It was requeued too often, so Slurm holds it.",
        f"Find out why its runs fail. {_RELEASE}",
        passes=False,
    ),
    "BeginTime": Meaning(
        Category.BEGIN_TIME, "The time at which it may begin has not come yet.", _WAIT
    ),
    "Licenses": Meaning(
        Category.LICENSES, "It waits for licences that others use.", "Wait until some are free."
    ),
    "Reservation": Meaning(
        Category.RESERVATION, "It waits for its reservation to begin or to have room.", _WAIT
    ),
    "ReservationDeleted": Meaning(
        Category.RESERVATION,
        "The reservation that it was to run in is gone.",
        "Name another reservation or none, and release it.",
        passes=False,
    ),
    "ReservationInvalid": Meaning(
        Category.RESERVATION,
        "It may not run in the reservation that it names, or that is gone.",
        "Name another reservation or none, and release it.",
        passes=False,
    ),
    "ReqNodeNotAvail": Meaning(
        Category.NODES,
        "Nodes that it needs are out of service, or reserved for others.",
        "Wait until they are back; without named nodes it may run on others.",
    ),
    "NodeDown": Meaning(
        Category.NODES,
        "A node that it needs is down.",
        "Wait until it is back; without named nodes it may run on others.",
    ),
    "FrontEndDown": Meaning(
        Category.NODES, "No front-end node is up.", f"{_ADMIN} Then it starts by itself."
    ),
    "PowerNotAvail": Meaning(Category.NODES, "There is not enough electric power for it.", _WAIT),
    "PowerReserved": Meaning(
        Category.NODES, "Electric power that it needs is reserved for others.", _WAIT
    ),
    "MaxPoweredUpNodes": Meaning(
        Category.NODES, "As many nodes as may be powered up are.", "Wait until some are free."
    ),
    "PartitionDown": Meaning(
        Category.PARTITION,
        "Its partition starts no jobs.",
        "Wait until the partition is up, or submit it to another one.",
    ),
    "PartitionInactive": Meaning(
        Category.PARTITION,
        "Its partition is inactive: it starts no jobs and takes none.",
        "Wait until the partition is up, or submit it to another one.",
    ),
    "PartitionNodeLimit": Meaning(
        Category.LIMIT,
        "It asks for fewer or more nodes than its partition gives, or than are in service there.",
        f"Ask for a number of nodes that the partition gives. {_CHANGE}",
        passes=False,
        whose="partition",
    ),
    "PartitionTimeLimit": Meaning(
        Category.LIMIT,
        "Its time limit is longer than its partition allows.",
        f"Ask for less time, or take another partition. {_CHANGE}",
        passes=False,
        whose="partition",
    ),
    "PartitionConfig": Meaning(
        Category.IMPOSSIBLE,
        "Its partition does not take such a job as it is set up.",
        f"Take another partition. {_CHANGE}",
        passes=False,
    ),
    "JobArrayTaskLimit": Meaning(
        Category.LIMIT,
        "As many tasks of the array run as it lets run at once.",
        "Wait; its owner can raise the limit (ArrayTaskThrottle).",
        whose="array",
    ),
    "AssociationJobLimit": Meaning(
        Category.LIMIT,
        "Its account lets no more jobs run at once.",
        "Wait until some have ended.",
        whose="account",
    ),
    "AssociationResourceLimit": Meaning(
        Category.LIMIT,
        "Its account has reached a limit of resources.",
        "Wait until jobs of the account have ended.",
        whose="account",
    ),
    "AssociationTimeLimit": Meaning(
        Category.LIMIT,
        "Its account has used up its time, or allows no job so long.",
        "Ask for less time, or ask the administrators for more of it.",
        passes=False,
        whose="account",
    ),
    "AccountingPolicy": Meaning(
        Category.LIMIT,
        "A limit of the accounting is reached.",
        "Wait until other jobs have ended.",
        whose="account",
    ),
    "QOSUsageThreshold": Meaning(
        Category.LIMIT,
        "The account has used so much that this QoS does not take its jobs for now.",
        "Wait until its use has decayed, or take another QoS.",
        whose="qos",
    ),
    "QOSJobLimit": Meaning(
        Category.LIMIT,
        "Its QoS lets no more jobs run at once.",
        "Wait until some have ended.",
        whose="qos",
    ),
    "QOSResourceLimit": Meaning(
        Category.LIMIT,
        "Its QoS has reached a limit of resources.",
        "Wait until jobs of the QoS have ended.",
        whose="qos",
    ),
    "QOSTimeLimit": Meaning(
        Category.LIMIT,
        "Its QoS has used up its time, or allows no job so long.",
        "Ask for less time, or take another QoS.",
        passes=False,
        whose="qos",
    ),
    "MaxMemPerLimit": Meaning(
        Category.LIMIT,
        "It asks for more memory on a node, or for a CPU, than one job may have.",
        f"Ask for less memory, or for more CPUs. {_CHANGE}",
        passes=False,
        whose="partition",
    ),
    "QOSNotAllowed": Meaning(
        Category.IMPOSSIBLE,
        "Its partition or its account does not take its QoS.",
        f"Take another QoS. {_CHANGE}",
        passes=False,
    ),
    "AccountNotAllowed": Meaning(
        Category.IMPOSSIBLE,
        "Its partition does not take its account.",
        f"Take another partition or account. {_CHANGE}",
        passes=False,
    ),
    "InvalidAccount": Meaning(
        Category.IMPOSSIBLE,
        "Its account is not there, or its owner may not use it any more.",
        f"Take another account. {_CHANGE}",
        passes=False,
    ),
    "InvalidQOS": Meaning(
        Category.IMPOSSIBLE,
        "Its QoS is not there, or may not be used by its owner any more.",
        f"Take another QoS. {_CHANGE}",
        passes=False,
    ),
    "BadConstraints": Meaning(
        Category.IMPOSSIBLE,
        "No node, or too few, are as it asks for.",
        f"Look at the features, CPUs, memory and GPUs that it asks for. {_CHANGE}",
        passes=False,
    ),
    "Constraints": Meaning(
        Category.IMPOSSIBLE,
        "No nodes that are there now are as it asks for.",
        f"Look at the features that it asks for. {_CHANGE}",
        passes=False,
    ),
    "BurstBufferResources": Meaning(
        Category.RESOURCES, "It waits for room in the burst buffer.", _WAIT
    ),
    "BurstBufferStageIn": Meaning(
        Category.SLURM, "Its files are being brought into the burst buffer.", _WAIT
    ),
    "BurstBufferOperation": Meaning(
        Category.HELD,
        "The burst buffer failed for it, so Slurm holds it.",
        f"{_ADMIN} {_RELEASE}",
        passes=False,
    ),
    "BlockMaxError": Meaning(Category.NODES, "Too many nodes of its block failed.", _ADMIN),
    "BlockFreeAction": Meaning(Category.SLURM, "A block of nodes is being freed for it.", _WAIT),
    "MpiPortsBusy": Meaning(
        Category.RESOURCES, "All ports for MPI are in use.", "Wait until some are free."
    ),
    "NvidiaImexChannels": Meaning(
        Category.RESOURCES, "All IMEX channels for GPUs are in use.", "Wait until some are free."
    ),
    "Prolog": Meaning(Category.SLURM, "Its prolog is still running.", _WAIT),
    "Cleaning": Meaning(Category.SLURM, "Slurm still cleans up after its last run.", _WAIT),
    "SchedDefer": Meaning(Category.SLURM, "The scheduler has put it off for a moment.", _WAIT),
    "FedJobLock": Meaning(
        Category.SLURM, "Another cluster of the federation is looking at it.", _WAIT
    ),
    "SystemFailure": Meaning(
        Category.ENDED, "Slurm, a disk or a network failed.", "Submit it again.", passes=False
    ),
    "JobLaunchFailure": Meaning(
        Category.ENDED,
        "It could not be started on its nodes: a file system, its program, its credentials.",
        f"{_ADMIN} Then submit it again.",
        passes=False,
    ),
    "NonZeroExitCode": Meaning(
        Category.ENDED, "Its script ended with an exit code other than 0.", _LOOK, passes=False
    ),
    "RaisedSignal": Meaning(Category.ENDED, "A signal ended it.", _LOOK, passes=False),
    "TimeLimit": Meaning(
        Category.ENDED,
        "It reached its time limit.",
        "Submit it again with a longer one.",
        passes=False,
    ),
    "InactiveLimit": Meaning(
        Category.ENDED, "It did nothing for longer than is allowed.", _LOOK, passes=False
    ),
    "DeadLine": Meaning(
        Category.ENDED,
        "It could not be finished before its deadline any more.",
        "Submit it again with a later one.",
        passes=False,
    ),
    "OutOfMemory": Meaning(
        Category.ENDED,
        "It used more memory than it was given.",
        "Submit it again with more memory.",
        passes=False,
    ),
    "InvaildReason": Meaning(Category.UNKNOWN, "Slurm has no word for why it waits.", _ADMIN),
    "InvalidReason": Meaning(Category.UNKNOWN, "Slurm has no word for why it waits.", _ADMIN),
}

_TEXTS: dict[str, Meaning] = {
    "Nodes required for job are DOWN, DRAINED or reserved": Meaning(
        Category.NODES,
        "Nodes that it needs are out of service, or jobs of better partitions come before it.",
        "Wait until they are back or free.",
    ),
    "job requeued in held state": Meaning(
        Category.HELD,
        "It was requeued and is held since.",
        _RELEASE,
        passes=False,
    ),
    "launch failed requeued held": Meaning(
        Category.HELD,
        "It could not be started on its nodes, so Slurm put it back and holds it.",
        f"{_ADMIN} {_RELEASE}",
        passes=False,
    ),
}
"""Beginnings of what Slurm may say in a word's place."""


def meaning_of(reason: str) -> Meaning:
    """Read a reason as squeue shows it: a word, a word with more behind it, or a text."""
    text = reason.strip().strip("()").replace("_", " ")
    for beginning, meaning in _TEXTS.items():
        if text.startswith(beginning):
            return meaning
    word = word_of(reason)
    return _WORDS.get(word) or _limit(word) or _unknown(reason)


def word_of(reason: str) -> str:
    """Return the word itself: `ReqNodeNotAvail` of `ReqNodeNotAvail, UnavailableNodes:n[1-2]`."""
    return reason.strip().strip("()").partition(",")[0].partition(":")[0].strip()


def _limit(word: str) -> Meaning | None:
    limit = limit_of(word)
    if limit is None:
        return None
    return Meaning(Category.LIMIT, limit.says, limit.advice, limit.passes, limit.whose)


def _unknown(reason: str) -> Meaning:
    return Meaning(
        Category.UNKNOWN,
        "Slurm gives a reason that is not known here; its own words are all there is.",
        f"Look for {word_of(reason)[:60]!a} in Slurm's own documentation.",
    )
