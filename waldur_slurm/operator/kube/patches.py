"""Merge patches as values (RFC 7386): what leads from one object to another. Pure."""

from collections.abc import Mapping
from typing import Any


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be sent; what is not said any more is taken away, at any depth."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for name, value in after.items():
        there = before.get(name)
        if isinstance(value, Mapping) and isinstance(there, Mapping):
            if within := merge_patch(there, value):
                patch[name] = within
        elif name not in before or there != value:
            patch[name] = value
    return patch
