"""What is asked of Kubernetes about companions' pods, and what such a pod says of itself. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from waldur_slurm.operator.jobs.companion import ATTEMPT, COMPANION_OF, Manifest
from waldur_slurm.operator.jobs.words import Word
from waldur_slurm.operator.model.collected import Collected, read_message

LOST = -1
"""The exit code of one that left none: it was evicted, or its node is gone."""
MOST_WORDS = 500

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """It has not begun; `why` are Kubernetes' words of an image, a claim or a node, if any."""

    why: str


@dataclass(frozen=True, slots=True)
class Working:
    """It follows the job, or copies."""


@dataclass(frozen=True, slots=True)
class Ended:
    """`told` is None where it died before its last words; then `why` are Kubernetes' own."""

    code: int
    told: Collected | None
    why: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Pod:
    name: str
    uid: str
    of: str
    """The uid of its SlurmJob."""
    state: Waiting | Working | Ended
    attempt: int = 1
    is_leaving: bool = False
    """Its deletion was asked for, and it is not gone yet."""


@dataclass(frozen=True, slots=True)
class Companions:
    """What a turn knows of them, by the uids of their SlurmJobs.

    `obstacles` say why one could not be made a moment ago.
    """

    namespaces: frozenset[str]
    """Those that were looked into."""
    pods: Mapping[str, Pod]
    obstacles: Mapping[str, Word] = field(default_factory=dict)


class Pods(Protocol):
    """All of it may raise `KubeError`; in namespaces that were not opened for it, `NotAllowed`."""

    def list_companions(self, namespace: str) -> tuple[Pod, ...]: ...

    def make_companion(self, secret: Manifest, pod: Manifest) -> None:
        """Make both anew; raises `ChangedMeanwhile` where a pod of that name is there already."""
        ...

    def end_companion(self, namespace: str, pod: Pod) -> None:
        """Take away this pod, which has ended, and no other; that it is gone is no error."""
        ...

    def forget_token(self, namespace: str, name: str) -> None:
        """Take away the Secret; that it is gone is no error."""
        ...


def read_pod(found: Found) -> Pod:
    meta, status = found["metadata"], found.get("status") or {}
    attempt = str((meta.get("annotations") or {}).get(ATTEMPT, ""))
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        of=(meta.get("labels") or {}).get(COMPANION_OF, ""),
        state=_state(status),
        attempt=int(attempt) if attempt.isascii() and attempt.isdecimal() else 1,
        is_leaving="deletionTimestamp" in meta,
    )


def _state(status: Found) -> Waiting | Working | Ended:
    match status.get("phase"):
        case "Succeeded" | "Failed":
            return _end(status)
        case "Running":
            return Working()
        case "Unknown":
            return Waiting("its node does not answer")
        case _:
            return Waiting(_short("; ".join(_obstacles(status))))


def _end(status: Found) -> Ended:
    for container in status.get("containerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated")
        if ended:
            message = str(ended.get("message") or "")
            told = read_message(message)
            why = "" if told else _short(_joined(ended.get("reason"), message))
            return Ended(int(ended.get("exitCode", LOST)), told, why, _moment(ended))
    return Ended(LOST, None, _short(_joined(status.get("reason"), status.get("message"))), None)


def _obstacles(status: Found) -> Iterator[str]:
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating"):
            yield _joined(waiting.get("reason"), waiting.get("message"))
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield _joined(condition.get("reason"), condition.get("message"))


def _joined(reason: object, message: object) -> str:
    return ": ".join(str(part).strip() for part in (reason, message) if part)


def _short(text: str) -> str:
    line = "; ".join(text.split("\n"))
    return line if len(line) <= MOST_WORDS else f"...{line[-MOST_WORDS:]}"


def _moment(ended: Found) -> datetime | None:
    try:
        return datetime.fromisoformat(str(ended.get("finishedAt")))
    except ValueError:
        return None
