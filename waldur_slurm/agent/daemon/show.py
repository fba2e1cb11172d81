"""What a terminal is shown of waiting and of work; what draws bars is imported only here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


def announcer(stream: TextIO) -> Callable[[str], None]:
    """Say on a terminal whom the program is waiting for; anything else is told nothing."""
    if not stream.isatty():
        return lambda _whom: None
    return lambda whom: print(f"Asking {whom} ...", file=stream, flush=True)


@contextmanager
def months_shown(stream: TextIO) -> Iterator[Callable[[object, int, int], None]]:
    """Show a bar while months go by, on a terminal; anything else is told nothing."""
    if not stream.isatty():
        yield lambda _month, _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(month: object, done: int, of: int) -> None:
            bar.update(task, description=str(month), completed=done, total=of)

        yield show
