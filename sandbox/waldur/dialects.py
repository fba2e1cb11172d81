"""The three dialects of Waldur; every difference between them has one name, here."""

from dataclasses import dataclass
from typing import Literal

DialectName = Literal["today", "transition", "classic"]


@dataclass(frozen=True, slots=True)
class Dialect:
    name: DialectName
    hides_an_allocation: bool
    """An approved order makes a scope with a state machine of its own."""
    has_provider_resources: bool
    """`marketplace-provider-resources/` exists."""
    shows_providers_consumer_resources: bool
    """`marketplace-resources/` answers the provider about its customers' resources."""
    names_what_is_missing: bool
    """A 404 says "No Order matches the given query." rather than "Not found."."""
    leaves_a_deletion_scheduled: bool
    """A Terminate order leaves the allocation `Deletion Scheduled`, rather than where it was."""
    is_today: bool
    """Mastermind 8: offering user states, agent identities, setters on the resource."""


DIALECTS: dict[str, Dialect] = {
    "today": Dialect("today", False, True, False, True, False, True),
    "transition": Dialect("transition", True, True, False, True, False, False),
    "classic": Dialect("classic", True, False, True, False, True, False),
}
