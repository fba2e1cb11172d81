"""What Slurm hides of others from the gateway, by `PrivateData` and who the gateway is. Pure."""

from collections.abc import Collection, Iterable, Mapping

from waldur_slurm.model.past import Person
from waldur_slurm.slurm.grammar.settings import named_things

_SEES_ALL = frozenset({"Operator", "Administrator"})


def hidden_by(configuration: Mapping[str, str], by_slurmdbd: Iterable[str]) -> tuple[str, ...]:
    """Return what slurm.conf or slurmdbd hides of others, as `jobs`, in their order."""
    by_slurmctld = named_things(configuration.get("PrivateData", ""))
    return tuple(dict.fromkeys((*by_slurmctld, *by_slurmdbd)))


def is_above(user: str, configuration: Mapping[str, str], people: Collection[Person]) -> bool:
    """Whether `user` is shown everything all the same."""
    slurm_user = configuration.get("SlurmUser", "").partition("(")[0]
    if user in ("root", slurm_user):
        return True
    return any(person.name == user and person.level in _SEES_ALL for person in people)
