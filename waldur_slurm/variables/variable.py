"""One environment variable: its name, how its text is read, and what it means.

What was found is put beside what was expected here and nowhere else, so that no reader of a
value can leak a secret into a mistake.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Reader = Callable[[str], T]

_COMMENT = re.compile(r"(^|\s)#.*", re.DOTALL)
_MAX_SHOWN = 80


class Secret:
    """A string that shows itself only when asked by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "<secret>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable: its name, what it means, and what it is when nobody sets it.

    `default` is a text that `read` accepts; None means that the value is None when it is not set.
    """

    name: str
    read: Reader[Any]
    meaning: str
    default: str | None = None
    is_required: bool = False
    is_secret: bool = False
    unset_means: str = ""

    def value_in(self, environ: Mapping[str, str]) -> Any:
        """The typed value; a `ValueError` is the whole sentence for the operator."""
        text = plain(environ.get(self.name, ""))
        if not text and self.is_required:
            raise ValueError(f"{self.name} is not set; expected {self.meaning.replace('`', '')}")
        if not text and self.default is None:
            return None
        try:
            return self.read(text or self.default or "")
        except ValueError as error:
            found = "" if self.is_secret else f"found {shown(text)}, "
            raise ValueError(f"{self.name}: {found}expected {error}") from None


def variable(
    name: str,
    read: Reader[Any],
    meaning: str,
    default: str | None = None,
    *,
    is_required: bool = False,
    is_secret: bool = False,
    unset_means: str = "",
) -> Any:
    """Declare a dataclass field that is read from the environment variable `name`.

    Whoever makes the dataclass in code gets the same default, unless the variable is required.
    """
    declared = Variable(
        name=name,
        read=read,
        meaning=meaning,
        default=default,
        is_required=is_required,
        is_secret=is_secret,
        unset_means=unset_means,
    )
    if is_required:
        return field(metadata={"variable": declared})
    return field(default=declared.value_in({}), metadata={"variable": declared})


def group(of: type) -> Any:
    """Declare a field whose value is a dataclass of declared variables itself, by default too."""
    return field(default_factory=of, metadata={"group": of})


def plain(text: str) -> str:
    """Take off what env files leave around a value: a comment at the end, blanks, quotes.

    Neither systemd's EnvironmentFile nor docker's env_file cuts `value # comment`.
    """
    bare = _COMMENT.sub("", text).strip()
    if len(bare) >= 2 and bare[0] == bare[-1] and bare[0] in "\"'":
        return bare[1:-1]
    return bare


def shown(text: str) -> str:
    """The text as a mistake may quote it: on one line, not endless, without a URL's secrets."""
    masked = re.sub(r"//[^/@\s]*@", "//<secret>@", re.sub(r"\?.*", "?<secret>", text))
    return ascii(masked if len(masked) <= _MAX_SHOWN else f"{masked[:_MAX_SHOWN]}...")
