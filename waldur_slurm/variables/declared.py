"""A dataclass of declared variables, read whole from an environment: every mistake at once.

A field is one variable or a group of them, a dataclass of declared variables itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from waldur_slurm.errors import SettingsError
from waldur_slurm.variables.variable import Secret, Variable, plain

T = TypeVar("T")
Across = Callable[[Mapping[str, str], dict[str, Any]], Iterable[str]]
"""Mistakes that no variable makes alone. It is given the environment and the values by name, and
may fill in one that comes from elsewhere; a variable that was a mistake itself is missing."""

_SHORTEST_SECRET = 8


def read_declared(of: type[T], environ: Mapping[str, str], across: Across) -> T:
    """Make the dataclass from the environment, or raise `SettingsError` with every mistake."""
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for declared in declared_by(of):
        try:
            values[declared.name] = declared.value_in(environ)
        except ValueError as error:
            mistakes.append(str(error))
    mistakes += across(environ, values)
    if mistakes:
        raise SettingsError(_without_secrets(of, mistakes, environ))
    return _made(of, values)


def declared_by(of: type) -> Iterator[Variable]:
    """Every variable, those of groups included, in the order in which they are declared."""
    for item in fields(of):
        if "variable" in item.metadata:
            yield item.metadata["variable"]
        elif "group" in item.metadata:
            yield from declared_by(item.metadata["group"])


def values_of(instance: Any) -> Iterator[tuple[Variable, Any]]:
    """Each variable with the value that the instance holds for it."""
    for item in fields(instance):
        value = getattr(instance, item.name)
        if "variable" in item.metadata:
            yield item.metadata["variable"], value
        elif is_dataclass(value):
            yield from values_of(value)


def secrets_of(instance: Any) -> Iterator[str]:
    """Everything in it that must never be printed."""
    for _, value in values_of(instance):
        if isinstance(value, Secret):
            yield value.reveal()
            yield urlsplit(value.reveal()).username or ""


def _made(of: type[T], values: Mapping[str, Any]) -> T:
    made: dict[str, Any] = {}
    for item in fields(of):  # type: ignore[arg-type]  # a dataclass, which no bound can say
        if "variable" in item.metadata:
            made[item.name] = values[item.metadata["variable"].name]
        elif "group" in item.metadata:
            made[item.name] = _made(item.metadata["group"], values)
    return of(**made)


def _without_secrets(of: type, mistakes: list[str], environ: Mapping[str, str]) -> list[str]:
    """Take a token out that was put into another variable by mistake."""
    for declared in declared_by(of):
        secret = plain(environ.get(declared.name, "")) if declared.is_secret else ""
        if len(secret) >= _SHORTEST_SECRET:
            mistakes = [mistake.replace(secret, "<secret>") for mistake in mistakes]
    return mistakes
