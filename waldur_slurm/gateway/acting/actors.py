"""Acting as users: who may, as whom, and with what. Blocks.

An actor is one user as one caller may act for him: his jobs and his files. What it is asked for in
the end is done by the hand, which asks root's hand.conf once more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from waldur_slurm.gateway.acting.audit import Caller
from waldur_slurm.gateway.doors.people import People, Person
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.errors import Denied, NotOffered
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.batch.port import Batch
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.transports.files import Files


@dataclass(frozen=True, slots=True)
class Means:
    """What somebody's jobs and files are reached by."""

    batch: Batch
    files: Files
    logins: Logins | None = None
    """His tokens for slurmrestd, where there is one."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`caller` acts as `person`."""

    caller: Caller
    person: Person
    batch: Batch
    files: Files
    logins: Logins | None = None


MeansOf = Callable[[str], Means]
"""Of a user's name."""


class Actors:
    """`means_of` is None where the gateway was told of no way to act."""

    def __init__(self, people: People, means_of: MeansOf | None, cluster: str) -> None:
        self._people = people
        self._means_of = means_of
        self.cluster = cluster
        """The one whose Slurm the hand speaks to."""

    def demand(self, cluster: str) -> MeansOf:
        """Raises `NotOffered` where nothing is done in anybody's name, or not on this cluster."""
        if self._means_of is None:
            raise NotOffered("this gateway only reads; GATEWAY_EXECUTOR says how it would act")
        if cluster != self.cluster:
            raise NotOffered(f"things are done on {self.cluster} only, not on {cluster}")
        return self._means_of

    def find(self, caller: Caller, user: str, cluster: str) -> Actor:
        """Return the actor; raises `Denied`, or `NotOffered`."""
        means_of = self.demand(cluster)
        person = self.find_person(caller, user)
        means = means_of(person.name)
        return Actor(caller, person, means.batch, means.files, means.logins)

    def find_person(self, caller: Caller, user: str) -> Person:
        """Return whom the caller may act as, whether or not anything can be done; or `Denied`."""
        return self._people.find_actor(caller.principal, user)

    def acted_for(self, principal: Principal, users: Iterable[UserName]) -> frozenset[UserName]:
        """Return those of them whom he may act for."""
        return frozenset(user for user in users if self._may_act(principal, user))

    def _may_act(self, principal: Principal, user: UserName) -> bool:
        try:
            self._people.find_actor(principal, user)
        except Denied:
            return False
        return True
