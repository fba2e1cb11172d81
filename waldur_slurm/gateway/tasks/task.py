"""A task: a command for one job of one user, what the job gets, and who is told of it. Pure.

`given` is the task as its client wrote it: what is shown again, and what a task that comes a second
time is held against. How its `time` and `mem` are read is not the task's to say.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.model.names import UserName

UUID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)
_UUID = msgspec.Meta(
    description="names the task for its owner; without one `Idempotency-Key` does, if it is there",
    extra_json_schema={"pattern": f"^({UUID.pattern})?$"},
)

MOST_NUMBER = 10**9 - 1

Number = Annotated[int, msgspec.Meta(ge=-MOST_NUMBER, le=MOST_NUMBER)] | str
"""A whole number; a string that holds one is one."""

TaskEvent = Literal["terminal", "started", "suspended", "requeued"]


class Reading(StrEnum):
    """What `time` and `mem` mean.

    By the seed's `document` hours, and megabytes for the job on each node; by its `original` code
    minutes, and megabytes for each CPU.
    """

    DOCUMENT = "document"
    ORIGINAL = "original"


class TaskDirs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Absolute paths, made as the user before the job is handed in."""

    parent: str = ""
    input: str = ""
    output: str = ""
    error: str = ""


class TaskSlurm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the job asks Slurm for. `time` is in hours, `mem` in megabytes.

    `output` and `error` are names of files in `dirs.output` and `dirs.error`. `environment` is
    `"A=1,B=2"`, a list of such, or a map: all that the job has beside what Slurm puts there.
    """

    output: str = ""
    error: str = ""
    job_name: str = ""
    mem: Number | None = None
    mem_per_cpu: Number | None = None
    cpus_per_task: Number | None = None
    nodes: Number | None = None
    ntasks: Number | None = None
    ntasks_per_node: Number | None = None
    partition: str = ""
    account: str = ""
    qos: str = ""
    time: Number | None = None
    time_limit: Number | None = None
    array: str = ""
    dependency: str = ""
    gres: str = ""
    gpus: Number | None = None
    constraint: str = ""
    reservation: str = ""
    exclusive: bool | str = False
    environment: str | tuple[str, ...] | dict[str, str] | None = None
    export: str = ""
    begin: str = ""
    nice: Number | None = None
    licenses: str = ""
    comment: str = ""
    hold: bool = False


class TaskNotification(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Ways to tell of the job, the parameters of each, and of which events."""

    methods: tuple[str, ...] = ()
    params: dict[str, dict[str, str]] = {}
    events: tuple[TaskEvent, ...] = ()


class TaskSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A `cmd` with `params`, as bash reads them in the job; or with `args`, as they stand.

    Or a `script`, as sbatch takes it. `name` is one of the site's, with defaults of its own.
    """

    name: str = "generic"
    cmd: str = ""
    script: str = ""
    params: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    username: str = ""
    cwd: str = ""
    uuid: Annotated[str, _UUID] = ""
    dirs: TaskDirs = TaskDirs()
    slurm: TaskSlurm = TaskSlurm()
    notification: TaskNotification = TaskNotification()


@dataclass(frozen=True, slots=True)
class Task:
    """`given` has its uuid and its user in any case."""

    uuid: str
    user: str
    spec: TaskSpec
    given: Mapping[str, Any]
    reading: Reading = Reading.DOCUMENT

    def fingerprint(self, cluster: str) -> str:
        """Tell it from any other task with its uuid."""
        told = {"cluster": cluster, "reading": self.reading, "task": self.given}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptTask:
    """A task as it is written down; `id` is the key that its job is handed in by, once.

    As long as it is not `placed` Slurm may have its job or not.
    """

    id: str
    owner: str
    uuid: str
    cluster: str
    user: UserName
    name: str
    fingerprint: str
    given: Mapping[str, Any]
    made: datetime
    """To the second."""
    monitor: str
    placed: Placed | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Slurm has the task's job; `is_again`: it had it before."""

    task: KeptTask
    placed: Placed
    is_again: bool


def parse_task(given: Mapping[str, Any], reading: Reading, *, is_lenient: bool = False) -> Task:
    """Read a task of which uuid and username are told; raises `WrongAsk`.

    `is_lenient`: what is not known, and what is null, is as if it were not there.
    """
    told = _known(given, TaskSpec) if is_lenient else given
    try:
        spec = msgspec.convert(told, TaskSpec)
    except msgspec.ValidationError as error:
        raise WrongAsk(f"task: {error}") from None
    return task_of(spec, given, reading)


def task_of(spec: TaskSpec, given: Mapping[str, Any], reading: Reading) -> Task:
    if UUID.fullmatch(spec.uuid) is None:
        raise WrongAsk(
            "task.uuid: expected 1 to 128 letters, digits and ._:- that begin with a letter or a"
            " digit, such as a uuid4"
        )
    try:
        msgspec.json.encode(given)
    except (UnicodeEncodeError, RecursionError):
        raise WrongAsk("task: it holds a text or a depth that not every program reads") from None
    if not spec.username:
        raise WrongAsk("task.username: expected the user whose job it is")
    return Task(spec.uuid, spec.username, spec, given, reading)


def _known(given: Mapping[str, Any], of: type[msgspec.Struct]) -> dict[str, Any]:
    """Keep what the struct has a place for, in the structs below it too."""
    types = {field.encode_name: field.type for field in msgspec.structs.fields(of)}
    return {
        name: _known(value, types[name]) if _is_struct(types[name], value) else value
        for name, value in given.items()
        if name in types and value is not None
    }


def _is_struct(of: Any, value: object) -> bool:
    return isinstance(of, type) and issubclass(of, msgspec.Struct) and isinstance(value, Mapping)
