"""One request on its way through a view: who asks what of which state, and how to look it up."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sandbox.waldur.answers import invalid, refused
from sandbox.waldur.dialects import Dialect
from sandbox.waldur.permissions import Caller
from sandbox.waldur.store import Record, Store


@dataclass(frozen=True, slots=True)
class Exchange:
    store: Store
    dialect: Dialect
    caller: Caller
    method: str
    uuid: str
    """The object the path names, or nothing."""
    query: tuple[tuple[str, str], ...]
    body: Any
    origin: str
    """Scheme and host as the client wrote them."""
    path: str
    user_agent: str
    _known: dict[tuple[str, str], Record] = field(default_factory=dict, repr=False)

    def named(self, table: str, uuid: str) -> Record:
        """The row that must be there, read once however many rows of a page point to it."""
        key = (table, uuid)
        if key not in self._known:
            self._known[key] = self.store.named(table, uuid)
        return self._known[key]

    def link(self, collection: str, uuid: str | None) -> str | None:
        return f"{self.origin}/api/{collection}/{uuid}/" if uuid else None

    def asked(self, key: str) -> list[str]:
        return [value for name, value in self.query if name == key]

    def first(self, key: str) -> str | None:
        return next(iter(self.asked(key)), None)

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.asked("field"))

    @property
    def payload(self) -> Record:
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            kind = type(self.body).__name__
            raise invalid(non_field_errors=f"Invalid data. Expected a dictionary, but got {kind}.")
        return self.body

    def text(self, key: str, longest: int) -> str:
        """A text of the payload, as a serializer takes it."""
        if key not in self.payload:
            raise invalid(**{key: "This field is required."})
        value = self.payload[key]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise invalid(**{key: "Not a valid string."})
        if len(str(value)) > longest:
            raise invalid(**{key: f"Ensure this field has no more than {longest} characters."})
        return str(value)

    def missing(self, model: str) -> Exception:
        named = self.dialect.names_what_is_missing
        text = f"No {model} matches the given query." if named else "Not found."
        return refused(404, {"detail": text})

    def visible(self, table: str, model: str, condition: str) -> Record:
        """The object that the path names, if this caller may see it; 404 otherwise."""
        found = self.select(
            f"SELECT t.* FROM {table} t WHERE t.uuid = :uuid AND ({self.caller.sees(condition)})",
            uuid=plain_uuid(self.uuid),
        )
        if not found:
            raise self.missing(model)
        return found[0]

    def select(self, sql: str, **values: Any) -> list[Record]:
        """Rows, with `:me` bound to the caller."""
        return self.store.rows_named(sql, {"me": self.caller.uuid, **values})


def plain_uuid(text: str) -> str:
    """As Waldur writes it, 32 hex digits; text that is no UUID stays as it is."""
    try:
        return UUID(text).hex
    except ValueError:
        return text
