"""What the dashboard needs of the doors: sessions, and the ways in which people begin them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waldur_slurm.gateway.doors.errands import Errand
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.sessions import SessionRing

if TYPE_CHECKING:  # most sites have no issuer, and the library is large
    from waldur_slurm.gateway.doors.code_flow import CodeFlow


@dataclass(frozen=True, slots=True)
class Pages:
    """`flow` is None where people cannot sign in at an issuer."""

    sessions: SessionRing
    recognise: Callable[[str, float], Principal | Errand]
    """Says whose a token is."""
    id_of: Callable[[str], str]
    """Of a token that was recognised."""
    flow: "CodeFlow | None" = None
