"""What the token's user may do: roles that concern this offering, apart from all others. Values."""

from dataclasses import dataclass

STAFF = "staff"
OWNER = "CUSTOMER.OWNER"


@dataclass(frozen=True, slots=True, order=True)
class Role:
    """`name` is Waldur's own; `scope` says for people where it holds, empty for everywhere."""

    name: str
    scope: str = ""

    def __str__(self) -> str:
        return f"{self.name} of {self.scope}" if self.scope else self.name


@dataclass(frozen=True, slots=True)
class Rights:
    """`here`: in this offering, in the organization that provides it, or everywhere.

    A role in `elsewhere`, be it an owner's, lets nobody do anything with this offering.
    """

    here: tuple[Role, ...] = ()
    elsewhere: tuple[Role, ...] = ()

    def holds(self, *names: str) -> bool:
        return any(role.name in names for role in self.here)

    @property
    def are_owners(self) -> bool:
        """Whether they are enough for all that both directions do."""
        return self.holds(STAFF, OWNER)
