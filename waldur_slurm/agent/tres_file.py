"""The TRES file: which TRES the offering sells, in which unit, and how each is accounted.

All mistakes are reported at once, each with its line. Nothing is guessed: numbers are read as they
are written, and a key that is unknown or there twice is a mistake like any other.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import yaml

from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType, NotOrdered
from waldur_slurm.errors import InvalidName, SettingsError
from waldur_slurm.model.tres import tres_name

PAGE = Path(__file__).with_name("tres-file.md")
"""Every key of the file, for people; it is installed with the package."""

MAX_BYTES = 64 * 1024
MAX_NUMBER = 2**31 - 1
"""The largest whole number that Waldur keeps for a component."""

REQUIRED = ("limit", "measured_unit", "accounting_type", "label")
LIMIT_PERIODS = ("month", "quarterly", "annual", "total")

_TYPE = re.compile(r"[A-Za-z0-9_/:-]{1,50}")
"""What Waldur takes as a component's type: a TRES such as `gres/gpu` goes in as it is."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")

E = TypeVar("E", bound=StrEnum)


class _Mistake(Exception):
    """Something to be corrected, said without its place."""


def read_tres_file(path: Path) -> tuple[Component, ...]:
    """The components in the order of the file, or `SettingsError` with everything to correct."""
    try:
        return parse_tres_file(_content(path), str(path))
    except SettingsError as error:
        raise SettingsError([*error.mistakes, f"what the file may say: {PAGE}"]) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError([f"SLURM_TRES_CONFIG_PATH: {path}: {error.strerror}"]) from error
    if len(content) > MAX_BYTES:
        raise SettingsError([f"{path}: larger than {MAX_BYTES} bytes"])
    return content


def parse_tres_file(content: bytes, name: str) -> tuple[Component, ...]:
    reading = _Reading(name)
    components = [entry for entry in reading.components(content) if entry is not None]
    reading.check_types(components)
    if reading.mistakes:
        raise SettingsError([text for _, text in sorted(reading.mistakes)])
    return tuple(components)


class _Reading:
    """One pass over the file; collects the mistakes on its way."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[ComponentType, int] = {}
        self.mistakes: list[tuple[int, str]] = []

    def components(self, content: bytes) -> Iterator[Component | None]:
        root = self._compose(content)
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode) or not root.value:
            self._note(root, "expected a mapping from TRES, such as cpu, to what is sold of it")
            return
        for key, value in self._items(root, "the file"):
            yield self._component(key, value)

    def check_types(self, components: list[Component]) -> None:
        seen: dict[ComponentType, Component] = {}
        for component in components:
            other = seen.setdefault(component.type, component)
            if other is not component:
                line = self._lines[component.type]
                text = f"{component.tres}: {other.tres} is sold as {component.type!r} already"
                self.mistakes.append((line, f"{self._name}:{line}: {text}"))

    def _compose(self, content: bytes) -> yaml.Node | None:
        """The tree of nodes: nothing is constructed, and an alias costs nothing."""
        try:
            root = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            problem = getattr(error, "problem", None) or type(error).__name__
            self.mistakes.append((line, f"{self._name}:{line}: not YAML: {problem}"))
            return None
        if root is None:
            self.mistakes.append((1, f"{self._name}:1: the file names no TRES"))
        found: yaml.Node | None = root
        return found

    def _items(
        self, mapping: yaml.MappingNode, where: str
    ) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        first: dict[str, int] = {}
        for key, value in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                self._note(key, f"{where}: a key must be one word")
            elif key.value in first:
                self._note(key, f"{where}: {key.value!r} is in line {first[key.value]} already")
            else:
                first[key.value] = _line(key)
                yield key, value

    def _component(self, key: yaml.ScalarNode, value: yaml.Node) -> Component | None:
        before = len(self.mistakes)
        if not isinstance(value, yaml.MappingNode):
            self._note(value, f"{key.value}: expected {', '.join(REQUIRED)}")
            return None
        entry = {name.value: (name, node) for name, node in self._items(value, key.value)}
        for unknown in entry.keys() - _READERS.keys():
            expected = ", ".join(_READERS)
            self._note(entry[unknown][0], f"{key.value}: unknown {unknown!r} (known: {expected})")
        for missing in sorted(set(REQUIRED) - entry.keys()):
            self._note(key, f"{key.value}: {missing} is missing")
        found = self._read_fields(key, {k: node for k, (_, node) in entry.items()})
        if len(self.mistakes) > before:
            return None
        return self._checked(key, entry, Component(**found))  # type: ignore[arg-type]  # by _READERS

    def _read_fields(
        self, key: yaml.ScalarNode, entry: Mapping[str, yaml.Node]
    ) -> dict[str, object]:
        found: dict[str, object] = {}
        try:
            found["tres"] = tres_name(key.value)
        except InvalidName as error:
            self._note(key, str(error))
        for name, node in entry.items():
            if name in _READERS:
                try:
                    found[_FIELDS.get(name, name)] = _READERS[name](node)
                except _Mistake as mistake:
                    self._note(node, f"{key.value}: {name}: {mistake}")
        if "component" not in entry:
            self._default_type(key, found)
        if "when_not_ordered" not in entry and key.value.startswith("gres/"):
            found["when_not_ordered"] = NotOrdered.ZERO
        return found

    def _default_type(self, key: yaml.ScalarNode, found: dict[str, object]) -> None:
        if _TYPE.fullmatch(key.value):
            found["type"] = ComponentType(key.value)
        elif "tres" in found:
            self._note(key, f"{key.value}: Waldur takes no such type; name one with `component:`")

    def _checked(
        self,
        key: yaml.ScalarNode,
        entry: Mapping[str, tuple[yaml.Node, yaml.Node]],
        component: Component,
    ) -> Component | None:
        self._lines[component.type] = _line(key)
        before = len(self.mistakes)
        low, high = component.min_value, component.max_value
        if low is not None and high is not None and low > high:
            self._note(entry["max_value"][0], f"{key.value}: max_value is below min_value")
        is_usage = component.accounting_type is AccountingType.USAGE
        if is_usage and "when_not_ordered" in entry:
            text = "when_not_ordered is for accounting_type: limit"
            self._note(entry["when_not_ordered"][0], f"{key.value}: {text}")
        if is_usage:
            try:
                component.to_tres_minutes(component.limit)
            except ValueError as error:
                self._note(entry["limit"][0], f"{key.value}: limit: {error}, not a whole number")
        return component if len(self.mistakes) == before else None

    def _note(self, node: yaml.Node, text: str) -> None:
        line = _line(node)
        shown = "".join(c if c.isprintable() else "?" for c in text)
        self.mistakes.append((line, f"{self._name}:{line}: {shown:.400}"))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(node: yaml.Node) -> str:
    """The text as it is written; an empty value is a mistake, not nothing."""
    if not isinstance(node, yaml.ScalarNode):
        raise _Mistake("expected one value")
    text: str = node.value
    if node.tag == "tag:yaml.org,2002:null":
        raise _Mistake("the value is missing")
    return text


def _text(longest: int) -> Callable[[yaml.Node], str]:
    def read(node: yaml.Node) -> str:
        text = _scalar(node)
        if not text or len(text) > longest or not text.isprintable():
            raise _Mistake(f"expected one line of 1 to {longest} characters")
        return text

    return read


def _whole(lowest: int) -> Callable[[yaml.Node], int]:
    def read(node: yaml.Node) -> int:
        text = _scalar(node)
        if not _WHOLE.fullmatch(text) or not lowest <= int(text) <= MAX_NUMBER:
            raise _Mistake(f"expected a whole number from {lowest} to {MAX_NUMBER}, not {text!r}")
        return int(text)

    return read


def _factor(node: yaml.Node) -> Decimal:
    text = _scalar(node)
    if not _DECIMAL.fullmatch(text) or not Decimal(text):
        raise _Mistake(f"expected a number above 0 such as 60000 or 0.5, not {text!r}")
    return Decimal(text)


def _type(node: yaml.Node) -> ComponentType:
    text = _scalar(node)
    if not _TYPE.fullmatch(text):
        raise _Mistake(f"Waldur takes 1 to 50 of A-Z a-z 0-9 _ - / :, not {text!r}")
    return ComponentType(text)


def _period(node: yaml.Node) -> str:
    text = _scalar(node)
    if text not in LIMIT_PERIODS:
        raise _Mistake(f"expected one of {', '.join(LIMIT_PERIODS)}, not {text!r}")
    return text


def _one_of(kind: type[E]) -> Callable[[yaml.Node], E]:
    def read(node: yaml.Node) -> E:
        text = _scalar(node)
        try:
            return kind(text)
        except ValueError:
            raise _Mistake(f"expected one of {', '.join(kind)}, not {text!r}") from None

    return read


_READERS: dict[str, Callable[[yaml.Node], object]] = {
    "limit": _whole(0),
    "measured_unit": _text(30),
    "accounting_type": _one_of(AccountingType),
    "label": _text(150),
    "unit_factor": _factor,
    "component": _type,
    "limit_period": _period,
    "description": _text(4096),
    "article_code": _text(30),
    "min_value": _whole(-MAX_NUMBER),
    "max_value": _whole(-MAX_NUMBER),
    "when_not_ordered": _one_of(NotOrdered),
}

_FIELDS = {"component": "type"}
"""Where a key of the file is called otherwise in `Component`."""
