"""Who is told of a task's job: its own ways beside those of its name. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waldur_slurm.gateway.post.letter import Method, Occasion, method_of
from waldur_slurm.gateway.tasks.task import TaskNotification


@dataclass(frozen=True, slots=True)
class Notice:
    """Each way with its parameters; without `occasions` only of how the job ended."""

    methods: Mapping[Method, Mapping[str, str]] = field(default_factory=dict)
    occasions: frozenset[Occasion] = frozenset()


def notice_of(told: TaskNotification) -> Notice:
    """Read what a task or a name says; parameters of a way that is not taken are nobody's.

    Raises `ValueError` for a way that there is not.
    """
    methods: dict[Method, Mapping[str, str]] = {}
    for word in told.methods:
        method, parameters = method_of(word, told.params.get(word, {}))
        methods[method] = {**methods.get(method, {}), **parameters}
    return Notice(methods, frozenset(Occasion(event) for event in told.events))


def joined(canned: Notice, own: Notice) -> Notice:
    """Take all ways of both; of a way that both have, the task's own words count."""
    methods = {
        method: {**canned.methods.get(method, {}), **own.methods.get(method, {})}
        for method in (*canned.methods, *own.methods)
    }
    occasions = own.occasions or canned.occasions or frozenset({Occasion.TERMINAL})
    return Notice(methods, occasions)
