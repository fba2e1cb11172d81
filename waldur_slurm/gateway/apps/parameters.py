"""What a template may be given: named values, each of a kind that an administrator declared. Pure.

    account: {kind: text, most: 64}
    cpus_per_task: {kind: whole, most: 4096}
    queue: {kind: choice, choices: [short, long], default: short}

A `text` is one line; `lines` may be several; `texts` is a list of texts of any length.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from waldur_slurm.gateway.errors import WrongAsk

LONGEST = 65_536
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_KEYS = frozenset({"kind", "required", "default", "least", "most", "choices", "matches", "says"})


class BadTemplate(WrongAsk):
    """A template, or what it declares, is not what it should be; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`least` and `most` bound a number, or how long a text is, or how many texts there are."""

    name: str
    kind: str
    required: bool = False
    default: object = None
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    matches: str = ""
    says: str = ""
    """What it is for, for people."""


Parameters = Mapping[str, Parameter]


def parse_parameters(document: object) -> Parameters:
    """Read declarations, or raise `BadTemplate`."""
    if not isinstance(document, Mapping):
        raise BadTemplate("parameters: expected names, each with its kind")
    return {str(name): _declared(str(name), told) for name, told in document.items()}


def _declared(name: str, told: object) -> Parameter:
    if _NAME.fullmatch(name) is None:
        raise BadTemplate(f"parameters: {name[:80]!r} is no name: small letters, digits and _")
    if not isinstance(told, Mapping) or not told.keys() <= _KEYS or told.get("kind") not in _KINDS:
        kinds = ", ".join(_KINDS)
        keys = ", ".join(sorted(_KEYS))
        raise BadTemplate(f"parameters: {name}: expected kind ({kinds}); it may have {keys}")
    try:
        found = Parameter(
            name=name,
            kind=str(told["kind"]),
            required=told.get("required", False) is True,
            default=told.get("default"),
            least=_whole(told.get("least")),
            most=_whole(told.get("most")),
            choices=tuple(map(str, told.get("choices", ()))),
            matches=str(told.get("matches", "")),
            says=str(told.get("says", "")),
        )
        re.compile(found.matches)
        return found if found.default is None else _with_default(found)
    except (TypeError, ValueError, re.error) as error:
        raise BadTemplate(f"parameters: {name}: {error}") from None


def _with_default(parameter: Parameter) -> Parameter:
    read_value(parameter, parameter.default)
    return parameter


def _whole(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError("least and most are whole numbers")


def read_values(
    parameters: Parameters, given: Mapping[str, object], *, takes_others: bool
) -> dict[str, object]:
    """Return a value for each parameter, None where there is none; raises `WrongAsk`.

    What is not declared is refused, unless `takes_others`, which leaves it out.
    """
    for name in given.keys() - parameters.keys():
        if not takes_others:
            known = ", ".join(sorted(parameters)) or "none"
            raise WrongAsk(f"{str(name)[:80]!r}: there is no such parameter; there is {known}")
    values: dict[str, object] = {}
    for parameter in parameters.values():
        value = given.get(parameter.name)
        if value is None or value == "":
            if parameter.required:
                raise WrongAsk(f"{parameter.name} is missing")
            values[parameter.name] = parameter.default
        else:
            values[parameter.name] = _read(parameter, value)
    return values


def _read(parameter: Parameter, value: object) -> object:
    try:
        return read_value(parameter, value)
    except ValueError as error:
        raise WrongAsk(f"{parameter.name}: expected {error}") from None


def read_value(parameter: Parameter, value: object) -> object:
    """Return it where it is what was declared; the words of a `ValueError` follow "expected"."""
    return _KINDS[parameter.kind](parameter, value)


def _text(parameter: Parameter, value: object) -> str:
    found = _lines(parameter, value)
    if not is_one_line(found):
        raise ValueError("a single line, without control characters")
    return found


def _lines(parameter: Parameter, value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a text")
    _check_bounds(parameter, len(value), "letters", LONGEST)
    if parameter.matches and re.fullmatch(parameter.matches, value) is None:
        raise ValueError(parameter.says or f"a text that looks like {parameter.matches}")
    return value


def _number(parameter: Parameter, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("a whole number")  # noqa: TRY004 - it was given so
    _check_bounds(parameter, value, "", 2**31)
    return value


def _flag(_parameter: Parameter, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - it was given so
    return value


def _choice(parameter: Parameter, value: object) -> str:
    if not isinstance(value, str) or value not in parameter.choices:
        raise ValueError(f"one of {', '.join(parameter.choices)}")
    return value


def _texts(parameter: Parameter, value: object) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError("a list of texts")
    _check_bounds(parameter, len(value), "items", LONGEST)
    if any("\0" in each for each in value) or sum(map(len, value)) > LONGEST:
        raise ValueError(f"a list of texts of at most {LONGEST} letters in all")
    return list(value)


def _check_bounds(parameter: Parameter, found: int, unit: str, most: int) -> None:
    least = parameter.least or 0
    most = parameter.most if parameter.most is not None else most
    if not least <= found <= most:
        raise ValueError(f"from {least} to {most} {unit}".rstrip())


def is_one_line(text: str) -> bool:
    """Whether no program reads more than one line in it."""
    return not any(
        letter < " " or "\x7f" <= letter <= "\x9f" or letter in "\u2028\u2029" for letter in text
    )


_KINDS: Mapping[str, Callable[[Parameter, Any], object]] = {
    "text": _text,
    "lines": _lines,
    "whole": _number,
    "flag": _flag,
    "choice": _choice,
    "texts": _texts,
}
