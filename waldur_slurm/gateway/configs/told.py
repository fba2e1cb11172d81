"""What a configuration file of an original says, in the gateway's own variables. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NotHonoured:
    """A key of the file that has no effect here, and why."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """`listens` is where the original listened; its surface alone is served there."""

    variables: Mapping[str, str] = field(default_factory=dict)
    listens: tuple[str, ...] = ()
    not_honoured: tuple[NotHonoured, ...] = ()
    mistakes: tuple[str, ...] = ()
