"""One row of the table of routes: how it is asked, by whom, and what comes back.

A row says who may ask it. One without a scope, that is not `PUBLIC` either, cannot be written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.convertors import Convertor, register_url_convertor

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Handler

REST: Final = "rest"


class Rest(Convertor[str]):
    """What is left of a path, line breaks as well."""

    regex = r"(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor(REST, Rest())


class Public:
    """Marks what anybody may ask, without a token."""


PUBLIC: Final = Public()


@dataclass(frozen=True, slots=True)
class Route:
    """How it is asked: `query`, `body` and `headers`; what comes back: `answer`, with `status`."""

    method: str
    path: str
    scope: Scope | Public
    handler: Handler
    says: str
    surface: Surface = Surface.NATIVE
    query: type | None = None
    compared: Mapping[str, type] = field(default_factory=dict)
    """What may be compared in the query too, as `job_id[gte]=1000`, with what it holds."""
    headers: type | None = None
    body: type | None = None
    answer: type | None = None
    """Said of JSON alone; what else `media_types` names is text, a stream or a file."""
    media_types: tuple[str, ...] = ("application/json",)
    status: int = 200
    """Of what went well."""
    also: tuple[type, ...] = ()
    """What may come with 200 in its place."""
    is_of_one_job: bool = False
    """Whether a token for one job opens it too; the handler sees to it that it is that job."""
    is_by_any_name: bool = False
    """Whether it is answered by whatever name it is asked: it tells nothing that is anybody's."""

    def __post_init__(self) -> None:
        """Refuse a row that says of nobody that he may ask it, whatever a type checker was told."""
        if not isinstance(self.scope, Scope | Public):
            raise TypeError(f"{self.method} {self.path} has no scope")

    @property
    def pattern(self) -> str:
        """Return the path as it is mounted: `{path}` is all the rest, whatever a file is called."""
        return self.path.replace("{path}", f"{{path:{REST}}}")
