"""What a letter says: the user's own words as he wrote them, then the facts. Pure.

Names of jobs are free text of other people: here they are one line each, and no variable in them
is looked at again.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from waldur_slurm.gateway.past.efficiency import Efficiency
from waldur_slurm.gateway.post.letter import Facts, Letter, Occasion

_VARIABLE = re.compile(r"\{(job_id|state|exit_code|name|user|elapsed)\}")

_HAPPENED = {
    Occasion.TERMINAL: "ended",
    Occasion.STARTED: "started",
    Occasion.SUSPENDED: "is suspended",
    Occasion.REQUEUED: "was put back into the queue",
    Occasion.VANISHED: "is gone, and nobody can say how it ended",
    Occasion.EXPIRED: "is no longer watched, and was not seen to end",
}

TRIAL = "The gateway's letters arrive here. Somebody tried it; no job is concerned."


def subject(letter: Letter) -> str:
    """Say what happened, unless the user has a subject of his own."""
    own = letter.parameters.get("subject")
    if own:
        return filled(own, letter.facts)
    if letter.facts is None:
        return "Slurm: a letter to try it"
    facts = letter.facts
    happened = f"{_HAPPENED.get(letter.event, letter.event)}: {_line(facts.state)}"
    return f"Slurm job {facts.job_id} ({_line(facts.name)}) {happened}"


def text(letter: Letter, *, has_facts: bool) -> str:
    """Return the user's words, or a sentence of ours, and below them the facts where asked."""
    own = letter.parameters.get("body") or letter.parameters.get("msg")
    said = filled(own, letter.facts) if own else sentence(letter)
    if letter.facts is None or not has_facts:
        return said
    return "\n".join([said, "", *fact_lines(letter.facts)])


def sentence(letter: Letter) -> str:
    facts = letter.facts
    if facts is None:
        return TRIAL
    happened = _HAPPENED.get(letter.event, letter.event)
    opening = f"Slurm job {facts.job_id} ({_line(facts.name)}) of {_line(facts.user)} {happened}"
    if letter.event is not Occasion.TERMINAL:
        return f"{opening}."
    values = _values(facts)
    return (
        f"{opening}: {values['state']}, exit code {values['exit_code']},"
        f" elapsed {values['elapsed']}"
    )


def filled(template: str, facts: Facts | None) -> str:
    """Put the variables' values in their places; whatever else is in braces stays as it is."""
    if facts is None:
        return template
    values = _values(facts)
    return _VARIABLE.sub(lambda match: values[match[1]], template)


def fact_lines(facts: Facts) -> Iterator[str]:
    values = _values(facts)
    yield f"Job:         {values['job_id']} ({values['name']})"
    yield f"User:        {values['user']}"
    yield f"Cluster:     {facts.cluster}"
    yield f"State:       {values['state']}"
    yield f"Exit code:   {values['exit_code']}"
    for label, moment in (
        ("Submitted:", facts.submitted),
        ("Started:", facts.started),
        ("Ended:", facts.ended),
    ):
        if moment is not None:
            yield f"{label:<12} {_moment(moment)}"
    yield f"Elapsed:     {values['elapsed']}"
    if facts.nodes:
        yield f"Nodes:       {_line(facts.nodes)}"
    if facts.waits:
        yield f"Waits:       {_line(facts.waits)}"
    used = ", ".join(_used(facts.efficiency))
    if used:
        yield f"Used:        {used}"


def elapsed(seconds: int | None) -> str:
    """Write a time as Slurm does, `1-02:03:04`."""
    if seconds is None:
        return "unknown"
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = f"{hour:02}:{minute:02}:{second:02}"
    return f"{days}-{clock}" if days else clock


def _values(facts: Facts) -> dict[str, str]:
    return {
        "job_id": facts.job_id,
        "state": _line(facts.state),
        "exit_code": facts.exit_code or "unknown",
        "name": _line(facts.name),
        "user": _line(facts.user),
        "elapsed": elapsed(facts.elapsed_s),
    }


def _used(efficiency: Efficiency) -> Iterator[str]:
    shares = (
        (efficiency.cpu, "of its CPUs' time"),
        (efficiency.memory, "of its memory"),
        (efficiency.gpu, "of its GPUs' time"),
        (efficiency.time, "of its time limit"),
    )
    for share, what in shares:
        if share is not None:
            yield f"{share:.0%} {what}"


def _line(text: str) -> str:
    """Keep to one line what somebody else chose, without marks that turn its direction."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
