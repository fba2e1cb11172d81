"""Small JSON documents that outlive the process, each replaced whole or not at all.

`journal/...` is worth a backup; `cache/...` may be deleted at any time.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
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
        raise StateError(
            f"{name}.json in AGENT_STATE_DIR does not hold what it should"
            f" ({type(error).__name__}: {error}); stop the agent, put a backup in its place or move"
            " it away, and start again"
        ) from error


class StateDirectory:
    """Documents as files under one directory that only its owner may read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> Document:
        path = self._path(name)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise StateError(f"cannot read {path}: {error}") from error
        if not isinstance(document, dict):
            raise StateError(f"cannot read {path}: expected a JSON object")
        return document

    def replace(self, name: str, document: Document) -> None:
        path = self._path(name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write_whole(path, json.dumps(document, sort_keys=True, separators=(",", ":")))
        except OSError as error:
            raise StateError(f"cannot write {path}: {error}") from error

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    @staticmethod
    def _write_whole(path: Path, text: str) -> None:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as new:
            try:
                new.write(text)
                new.flush()
                os.fsync(new.fileno())
                Path(new.name).replace(path)
            except OSError:
                Path(new.name).unlink(missing_ok=True)
                raise
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
