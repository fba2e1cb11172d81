"""Two questions at the same time, where neither changes anything and both mostly wait."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


def at_once(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """Return both answers when both are there; of two errors the first one's is raised."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        answer = beside.submit(second)
        return first(), answer.result()
