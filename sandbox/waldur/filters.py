"""Filters of the lists: what a query asks for as SQL, and the 400 where it asks for nonsense."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sandbox.waldur.answers import invalid
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.store import Record


class Filter:
    """Conditions gathered one after another, with their values."""

    def __init__(self, ask: Exchange, visible: str) -> None:
        self._ask = ask
        self._conditions = [f"({ask.caller.sees(visible)})"]
        self.values: Record = {}

    @property
    def where(self) -> str:
        return "WHERE " + " AND ".join(self._conditions)

    def uuid(self, key: str, column: str) -> None:
        """Rows whose column is one of these UUIDs; `column` may be a condition with a `?`."""
        condition = column if "?" in column else f"{column} = ?"
        alternatives = []
        for asked in filter(None, self._ask.asked(key)):
            try:
                UUID(asked)
            except ValueError:
                raise invalid(**{key: "Enter a valid UUID."}) from None
            alternatives.append(condition.replace("?", self._bind(plain_uuid(asked))))
        if alternatives:
            self.add(" OR ".join(alternatives))

    def text(self, key: str, column: str) -> None:
        asked = self._ask.first(key)
        if asked:
            self.add(f"{column} = {self._bind(asked)}")

    def flag(self, key: str, column: str) -> None:
        asked = (self._ask.first(key) or "").lower()
        if asked in ("true", "false", "1", "0"):
            self.add(f"{column} = {int(asked in ('true', '1'))}")

    def choices(self, key: str, column: str, valid: Sequence[str]) -> None:
        """Repeated values are alternatives."""
        asked = self._ask.asked(key)
        for value in asked:
            if value not in valid:
                raise invalid(
                    **{key: f"Select a valid choice. {value} is not one of the available choices."}
                )
        if asked:
            self.add(f"{column} IN ({', '.join(self._bind(value) for value in asked)})")

    def day(self, key: str, condition: str) -> None:
        asked = self._ask.first(key)
        if not asked:
            return
        parts = asked.split("-")
        if len(parts) != 3 or not all(part.isdecimal() for part in parts):
            raise invalid(**{key: "Enter a valid date."})
        self.add(condition.replace("?", self._bind(asked)))

    def since(self, key: str, column: str) -> None:
        asked = self._ask.first(key)
        if asked:
            self.add(f"{column} >= {self._bind(asked)}")

    def add(self, condition: str) -> None:
        self._conditions.append(f"({condition})")

    def _bind(self, value: Any) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = value
        return f":{name}"
