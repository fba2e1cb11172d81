"""What goes on beside everything else: on a thread of its own, for as long as something lasts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

LEAVES_IN_S = 5.0
"""Longer nobody waits for it; it ends with the process."""


@contextmanager
def beside(name: str, work: Callable[[], None], leave: Callable[[], None]) -> Iterator[None]:
    """Let `work` go on while the body does; `leave` asks it to return."""
    thread = Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        leave()
        thread.join(LEAVES_IN_S)
