"""Monitors, what became of each, and letters, as the gateway's own API shows them. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.watch.monitor import Monitor, Transition


class MonitorView(msgspec.Struct, frozen=True):
    """`state` is Slurm's word as the job was seen last; `stage` is `watching`, or why no longer.

    Without a `job_id` the job's submission is under way. Whose monitor it is not, he sees its ways
    without their parameters.
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


def monitor_view(monitor: Monitor, *, is_own: bool) -> MonitorView:
    return MonitorView(
        id=monitor.id,
        owner=monitor.owner,
        cluster=monitor.cluster,
        user=monitor.user,
        job_id=None if monitor.job is None else str(monitor.job),
        submit_time=monitor.submitted,
        state=monitor.state,
        stage=monitor.stage,
        made=monitor.made,
        updated=monitor.updated,
        occasions=tuple(sorted(monitor.occasions)),
        methods={
            method: dict(parameters) if is_own else {}
            for method, parameters in monitor.methods.items()
        },
        uuid=monitor.uuid,
        task=monitor.task,
    )


def transition_view(transition: Transition) -> MonitorTransitionView:
    return MonitorTransitionView(
        at=transition.at,
        before=transition.before,
        state=transition.state,
        stage=transition.stage,
        words=transition.words,
    )


def letter_view(letter: Letter) -> LetterView:
    is_waiting = letter.stage == "waiting"
    return LetterView(
        message_id=letter.message_id,
        monitor=letter.monitor,
        event=letter.event,
        method=letter.method,
        job_id=(letter.facts.job_id or None) if letter.facts else None,
        made=letter.made,
        stage=letter.stage,
        tries=letter.tries,
        next_try=letter.next_try if is_waiting else None,
        last_words=letter.last_words,
    )
