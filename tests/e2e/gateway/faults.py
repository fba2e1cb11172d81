"""Troubles of one of Slurm's daemons, and a gateway that is asked for everything meanwhile."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from threading import Event, Thread

from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import ActingGateway
from tests.e2e.gateway.gateway import Answer

ROUNDS = 2
"""How often everything is asked for while there is trouble."""

RUNS_S, STANDS_S = 0.05, 0.45
"""A daemon that is slow gets a tenth of its time."""

Trouble = Callable[[Cluster, str, Callable[[], None]], None]


def down(cluster: Cluster, daemon: str, meanwhile: Callable[[], None]) -> None:
    """Let it save what it knows: a slurmctld that is killed has lost the newest jobs itself."""
    cluster.stop_daemon(daemon)
    try:
        meanwhile()
    finally:
        cluster.start_daemon(daemon)


def frozen(cluster: Cluster, daemon: str, meanwhile: Callable[[], None]) -> None:
    cluster.freeze(daemon)
    try:
        meanwhile()
    finally:
        cluster.thaw(daemon)


def slow(cluster: Cluster, daemon: str, meanwhile: Callable[[], None]) -> None:
    with _stuttering(cluster, daemon):
        meanwhile()


def restarted(cluster: Cluster, daemon: str, meanwhile: Callable[[], None]) -> None:
    cluster.restart_daemon(daemon)
    meanwhile()


@contextmanager
def _stuttering(cluster: Cluster, daemon: str) -> Iterator[None]:
    """Freeze it over and over, until the body ends."""
    is_over = Event()

    def stutter() -> None:
        while not is_over.is_set():
            cluster.freeze(daemon)
            is_over.wait(STANDS_S)
            cluster.thaw(daemon)
            is_over.wait(RUNS_S)

    thread = Thread(target=stutter, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class Heard:
    """What was answered, by what was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = defaultdict(list)

    def statuses(self, name: str) -> set[int]:
        return {answer.status for answer in self.answers[name]}

    def bodies(self, name: str) -> list[dict[str, object]]:
        """Of the answers that tell something."""
        return [answer.json for answer in self.answers[name] if answer.status in (200, 201)]

    def kinds(self, name: str) -> set[str]:
        """The problems that were told, by the last part of their type."""
        problems = (answer for answer in self.answers[name] if answer.status >= 400)
        return {str(answer.json["type"]).rpartition(":")[2] for answer in problems}

    @property
    def all(self) -> list[Answer]:
        return [answer for answers in self.answers.values() for answer in answers]


Asked = Mapping[str, Callable[[], Answer]]


def ask_for_everything(asked: Asked, heard: Heard, rounds: int = ROUNDS) -> None:
    """Ask all at once, so many times."""

    def ask(name: str) -> None:
        for _ in range(rounds):
            try:
                heard.answers[name].append(asked[name]())
            except (OSError, HTTPException) as error:
                raise AssertionError(f"{name} was not answered: {error!r}") from error

    with ThreadPoolExecutor(len(asked)) as pool:
        for each in [pool.submit(ask, name) for name in asked]:
            each.result()


def reading(gateway: ActingGateway, token: str, path: str) -> Callable[[], Answer]:
    return lambda: gateway.send(token, "GET", path)


def kind_of(answer: Answer) -> str:
    """The problem that an answer tells, by the last part of its type."""
    return str(json.loads(answer.body)["type"]).rpartition(":")[2]
