"""Monitors, what became of each, and letters, as the gateway's own API shows them. Pure."""

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.watch.monitor import Monitor, Transition
from waldur_slurm.gateway.wire_watch import LetterView, MonitorTransitionView, MonitorView


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
