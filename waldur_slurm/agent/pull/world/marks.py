"""The mark by which an account is known to be the agent's, whatever happened since it was made.

It is the first thing in the account's description and survives Slurm as it is: lower-case ASCII,
no separator of any of Slurm's grammars. What does not match to the letter is not a mark.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from waldur_slurm.agent.model.marketplace import OfferingUuid
from waldur_slurm.model.copies import one_copy

_NAME_LENGTH = 40
_MARK = re.compile(
    r"waldur/(resource|project|customer)/([0-9a-f]{32})/([0-9a-f]{32})(?: .*)?", re.ASCII
)
_UNSAFE = re.compile(r"[^a-z0-9_.-]+", re.ASCII)


class MarkKind(StrEnum):
    RESOURCE = "resource"
    PROJECT = "project"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose account it is, and which offering's agent made it."""

    kind: MarkKind
    offering: OfferingUuid
    uuid: str

    def describe(self, name: str) -> str:
        """Return the account's description: the mark, then the name for people to read."""
        return f"waldur/{self.kind}/{self.offering}/{self.uuid} {_cleaned(name)}".rstrip()


def parse_mark(description: str) -> Mark | None:
    """Return whose it is; of uuids that come again one copy is kept."""
    found = _MARK.fullmatch(description)
    if found is None:
        return None
    kind, offering, uuid = found.groups()
    return Mark(MarkKind(kind), OfferingUuid(one_copy(offering)), one_copy(uuid))


def looks_marked(description: str) -> bool:
    """Whether somebody marked it, be it in a way that this agent cannot read."""
    return description.startswith("waldur/")


def _cleaned(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name[:1000]).encode("ascii", "ignore").decode()
    return _UNSAFE.sub(" ", plain.lower()).strip()[:_NAME_LENGTH].strip()
