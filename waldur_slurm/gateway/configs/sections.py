"""An original's configuration file, section by section: values, and all that is wrong. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from waldur_slurm.gateway.configs.told import Document

Check = Callable[[Any], bool]


class Sections:
    """Gathers what is wrong with values, and shows none; `expected` has a check's words."""

    def __init__(
        self, document: Document, names: frozenset[str], expected: Mapping[Check, str]
    ) -> None:
        self.mistakes: list[str] = []
        self._expected = expected
        self._sections = {name: self._section(name, document.get(name)) for name in names}

    def _section(self, name: str, value: object) -> Mapping[str, Any]:
        """Read one; all of its lines may be comments."""
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return value
        self.mistakes.append(f"{name}: expected keys with values below it")
        return {}

    def add_nested(self, section: str, key: str) -> None:
        """Take what lies below a key for a section, `section.key`."""
        name = f"{section}.{key}"
        self._sections[name] = self._section(name, self._sections[section].get(key))

    def keys(self, section: str) -> Iterator[str]:
        yield from map(str, self._sections[section])

    def has(self, name: str) -> bool:
        return self._found(name) is not None

    def value(self, name: str, default: Any, is_good: Check) -> Any:
        """Return `section.key`, or the default where it is not there or not good."""
        found = self._found(name)
        if found is None:
            return default
        if is_good(found):
            return found
        self.mistakes.append(f"{name}: expected {self._expected[is_good]}")
        return default

    def text(self, name: str, default: str = "") -> str:
        return str(self.value(name, default, is_text))

    def _found(self, name: str) -> Any:
        section, _, key = name.rpartition(".")
        return self._sections[section].get(key)


def is_text(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def is_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
