"""What the native API says of tasks, monitors and letters, for the server and for the client."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec


class MonitorView(msgspec.Struct, frozen=True):
    """`state` is Slurm's word as the job was seen last; `stage` is `watching`, or why no longer.

    Without a `job_id` the job's submission is under way. Who neither made it nor sees everybody's
    jobs is shown its ways without their parameters.
    """

    id: str
    owner: str
    cluster: str
    user: str
    job_id: str | None
    submit_time: datetime | None
    state: str
    stage: str
    made: datetime
    updated: datetime | None
    occasions: tuple[str, ...]
    methods: Mapping[str, Mapping[str, str]]
    uuid: str
    task: Mapping[str, Any] | None


class MonitorsAnswer(msgspec.Struct, frozen=True):
    """The newest first."""

    next: str | None
    monitors: tuple[MonitorView, ...]


class MonitorTransitionView(msgspec.Struct, frozen=True):
    at: datetime
    before: str
    state: str
    stage: str
    words: str


class MonitorTransitionsAnswer(msgspec.Struct, frozen=True):
    """The oldest first."""

    transitions: tuple[MonitorTransitionView, ...]


class LetterView(msgspec.Struct, frozen=True):
    """`message_id` tells a letter that came twice from two; `last_words` say why it is not sent."""

    message_id: str
    monitor: str
    event: str
    method: str
    job_id: str | None
    made: datetime
    stage: str
    tries: int
    next_try: datetime | None
    last_words: str


class LettersAnswer(msgspec.Struct, frozen=True):
    """The newest first."""

    next: str | None
    letters: tuple[LetterView, ...]


class NotificationsAnswer(msgspec.Struct, frozen=True):
    """The newest first."""

    letters: tuple[LetterView, ...]


class TaskView(msgspec.Struct, frozen=True):
    """`task` is as it was given. Without a `job_id` it is not known yet whether Slurm has it."""

    uuid: str
    name: str
    user: str
    cluster: str
    made: datetime
    monitor: str
    task: Mapping[str, Any]
    job_id: str | None = None
    submit_time: datetime | None = None
    work_dir: str | None = None
    stdout: str | None = None
    stderr: str | None = None


class TasksAnswer(msgspec.Struct, frozen=True):
    """The newest first."""

    next: str | None
    tasks: tuple[TaskView, ...]
