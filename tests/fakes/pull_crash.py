"""Cuts the power before or after one write, whichever part of the agent makes it."""

from collections.abc import Callable
from typing import Any


class Crash(BaseException):
    """The power goes; nobody catches it."""


class Fuse:
    """Lets `left` writes happen and then cuts the power, before or after the next one."""

    def __init__(self, left: int, *, is_after: bool) -> None:
        self._left = left
        self._is_after = is_after

    def around(self, part: Any) -> Any:
        return _Fused(part, self)

    def write(self, act: Callable[[], object]) -> object:
        self._left -= 1
        if self._left < 0 and not self._is_after:
            raise Crash
        result = act()
        if self._left < 0:
            raise Crash
        return result


class _Fused:
    """The port, with a fuse in every method that writes."""

    def __init__(self, part: Any, fuse: Fuse) -> None:
        self._part = part
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found) or name.startswith("read_"):
            return found
        return lambda *args, **kwargs: self._fuse.write(lambda: found(*args, **kwargs))


def whole(part: Any) -> Any:
    return part
