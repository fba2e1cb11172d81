"""Asks a gateway until it is answered, or refused for good, or patience ends."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import requests

from waldur_slurm.gateway.errors import GatewayError, TryLater
from waldur_slurm.gateway.talk import Talk

LONGEST_PAUSE_S = 30.0

T = TypeVar("T")


class Patient:
    """What is asked through it may be asked again: it reads, or does the same thing once.

    `below` is where the cluster's own addresses begin.
    """

    def __init__(
        self, talk: Talk, below: str, patience_s: float, sleep: Callable[[float], None]
    ) -> None:
        self._talk = talk
        self._below = below
        self._patience_s = patience_s
        self._sleep = sleep

    def told(self, of: type[T], method: str, path: str, **asked: Any) -> T:
        """Return what the answer says."""
        with self.ask(method, path, **asked) as response:
            return _read(of, response)

    def told_once(self, of: type[T], method: str, path: str, **asked: Any) -> T:
        with self.ask_once(method, path, **asked) as response:
            return _read(of, response)

    def told_of_all(self, of: type[T], path: str) -> T:
        """Return what is said of no cluster in particular."""
        with self._again("GET", path) as response:
            return _read(of, response)

    def ask(self, method: str, path: str, **asked: Any) -> requests.Response:
        return self._again(method, f"{self._below}{path}", **asked)

    def ask_once(self, method: str, path: str, **asked: Any) -> requests.Response:
        """Ask what would be done a second time, if it were asked again."""
        return self._talk.ask(method, f"{self._below}{path}", **asked)

    def _again(self, method: str, path: str, **asked: Any) -> requests.Response:
        end, pause_s = time.monotonic() + self._patience_s, 0.0
        while True:
            try:
                return self._talk.ask(method, path, **asked)
            except TryLater as error:
                pause_s = max(error.after_s, min(2 * pause_s, LONGEST_PAUSE_S))
                if time.monotonic() + pause_s > end:
                    raise
                self._sleep(pause_s)


def _read(of: type[T], response: requests.Response) -> T:
    try:
        return msgspec.json.decode(response.content, type=of)
    except msgspec.DecodeError as error:
        raise GatewayError(
            f"the answer is no gateway's of this release: {error}; is the address right?"
        ) from None
