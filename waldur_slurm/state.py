"""Small JSON documents that outlive the process, each replaced whole or not at all.

`journal/...` is worth a backup; `cache/...` may be deleted at any time.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from waldur_slurm.errors import StateError

Document = Mapping[str, Any]

_MISUNDERSTANDINGS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class State(Protocol):
    """Where a component keeps what it must remember; names are such as `journal/holds`."""

    def read(self, name: str) -> Document:
        """Return the document, empty where there is none; raise `StateError` if it is broken."""
        ...

    def replace(self, name: str, document: Document) -> None:
        """Make the document durable before returning."""
        ...


@contextmanager
def understood(name: str) -> Iterator[None]:
    """Say what to do where a document is JSON, but does not hold what it should."""
    try:
        yield
    except _MISUNDERSTANDINGS as error:
        what = f"{name}.json in the state directory"
        raise _spoilt(name, what, f"{type(error).__name__}: {error}") from error


def _spoilt(name: str, what: str, why: str) -> StateError:
    """A file that was cut off and one that was swapped ask the same of a person."""
    is_cache = name.startswith("cache/")
    cure = "remove it: it is made anew" if is_cache else "put a backup in its place or move it away"
    return StateError(
        f"{what} does not hold what it should ({why}); stop the service, {cure}, and start again"
    )


class StateDirectory:
    """Documents as files under one directory that only its owner may read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._paths: dict[str, Path] = {}
        self._unfinished = f"json.{token_hex(4)}"  # another process may write the same document

    def read(self, name: str) -> Document:
        path = self._path(f"{name}.json")
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StateError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise _spoilt(name, str(path), f"{type(error).__name__}: {error}") from error
        if not isinstance(document, dict):
            raise _spoilt(name, str(path), "expected a JSON object")
        return document

    def replace(self, name: str, document: Document) -> None:
        path, new = self._path(f"{name}.json"), self._path(f"{name}.{self._unfinished}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                write_durably(new, json.dumps(document, sort_keys=True, separators=(",", ":")))
                new.replace(path)
            except OSError:
                with suppress(OSError):
                    new.unlink()
                raise
            sync_names(path.parent)
        except OSError as error:
            raise StateError(f"cannot write {path}: {error}") from error

    def _path(self, file: str) -> Path:
        """Made once: parts of a path go to Python's own table of names, which a daemon fills."""
        if file not in self._paths:
            self._paths[file] = self._directory / file
        return self._paths[file]


def write_durably(path: Path, text: str) -> None:
    """Write a file for its owner alone, and return once it would survive a loss of power."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def sync_names(directory: Path) -> None:
    """Make the names in it durable, as well as what they name."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
