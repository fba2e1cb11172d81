"""List and watch: a kind that the server does not know is told, and not asked for in haste."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event as Bell
from typing import Any

from waldur_slurm.operator.errors import Gone
from waldur_slurm.operator.kube.store import Store
from waldur_slurm.telemetry.events import Event

LONG_S = 60.0
COW = {"metadata": {"uid": "cow", "resourceVersion": "1"}}


@dataclass
class Server:
    """An API server that may not know the kind, or have forgotten what a watch asks for."""

    knows: Bell = field(default_factory=Bell)
    forgets: bool = False
    lists: int = 0
    told: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def list(self, path: str) -> tuple[list[dict[str, Any]], str]:
        self.lists += 1
        if not self.knows.is_set():
            raise Gone(f"{path} not found")
        return [COW], "1"

    def watch(self, _path: str, _version: str, _seconds: int) -> Iterator[dict[str, Any]]:
        if self.forgets:
            self.forgets = False
            raise Gone("too old a version")
        self.told.put("watched")
        Bell().wait(0.05)
        yield from ()

    def hear(self, event: Event) -> None:
        self.told.put(event.name)

    def store(self) -> Store:
        return Store(self, "/cows", lambda: None, self.hear)  # type: ignore[arg-type]  # all of Talk that it asks


def test_a_kind_that_the_server_does_not_know_is_told_once_and_watched_when_it_does() -> None:
    server = Server()
    with server.store().running():
        assert server.told.get(timeout=LONG_S) == "kube.silent"
        server.knows.set()
        assert server.told.get(timeout=LONG_S) == "kube.answers"


def test_what_a_watch_can_not_go_on_from_is_listed_anew_without_a_word() -> None:
    server = Server(forgets=True)
    server.knows.set()
    with server.store().running():
        assert server.told.get(timeout=LONG_S) == "watched"
    assert server.lists == 2
