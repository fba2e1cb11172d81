"""One row of the table of routes: how it is asked, by whom, and what comes back.

A row says who may ask it. One without a scope, that is not `PUBLIC` either, cannot be written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Handler


class Public:
    """Marks what anybody may ask, without a token."""


PUBLIC: Final = Public()


@dataclass(frozen=True, slots=True)
class Route:
    """`query` and `body` are what may be asked with, `answer` what comes back.

    `answer` is said of JSON alone; what else `media_types` names is a stream of lines.
    `compared` are names that may be compared too, as `job_id[gte]=1000`, with what they hold.
    """

    method: str
    path: str
    scope: Scope | Public
    handler: Handler
    says: str
    surface: Surface = Surface.NATIVE
    query: type | None = None
    body: type | None = None
    answer: type | None = None
    media_types: tuple[str, ...] = ("application/json",)
    compared: Mapping[str, type] = field(default_factory=dict)
    is_by_any_name: bool = False
    """Whether it is answered by whatever name it is asked: it tells nothing that is anybody's."""

    def __post_init__(self) -> None:
        """Refuse a row that says of nobody that he may ask it, whatever a type checker was told."""
        if not isinstance(self.scope, Scope | Public):
            raise TypeError(f"{self.method} {self.path} has no scope")
