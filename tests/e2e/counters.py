"""What servers say of themselves in Prometheus' words, summed up. Pure."""

import re
from collections.abc import Mapping

_LINE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<number>\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def total(told: str, name: str, **wanted: str) -> float:
    """Add up all lines of that name which have these labels, whatever others they have."""
    return sum(
        number
        for found, labels, number in map(_parsed, told.splitlines())
        if found == name and wanted.items() <= labels.items()
    )


def _parsed(line: str) -> tuple[str, Mapping[str, str], float]:
    found = _LINE.match(line)
    if found is None:
        return "", {}, 0.0
    return found["name"], dict(_LABEL.findall(found["labels"] or "")), float(found["number"])
