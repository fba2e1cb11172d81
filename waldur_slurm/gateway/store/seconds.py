"""Moments as the database has them: whole seconds since 1970, in UTC. Pure."""

from datetime import UTC, datetime
from typing import overload


@overload
def second(moment: datetime) -> int: ...
@overload
def second(moment: datetime | None) -> int | None: ...
def second(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


@overload
def moment_of(second: int) -> datetime: ...
@overload
def moment_of(second: int | None) -> datetime | None: ...
def moment_of(second: int | None) -> datetime | None:
    return None if second is None else datetime.fromtimestamp(second, UTC)
