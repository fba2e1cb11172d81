"""The one place where the asynchronous side hands work to threads: few at once, few that wait.

What Slurm, the hands and the store are asked goes through a lane each. A lane has so many places,
and a queue that is bounded in length and in time; beyond it the answer is "not now".
"""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from waldur_slurm.gateway.errors import NotNow

MOST_WAITING = 512
LONGEST_WAIT_S = 30.0

T = TypeVar("T")


class Lane:
    """`places` pieces of work at once."""

    def __init__(
        self,
        name: str,
        places: int,
        most_waiting: int = MOST_WAITING,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self.name = name
        self.places = places
        self.waiting = 0
        self._most_waiting = most_waiting
        self._longest_wait_s = longest_wait_s
        self._limiter = anyio.CapacityLimiter(places)

    @property
    def busy(self) -> int:
        return self._limiter.borrowed_tokens

    async def run(self, work: Callable[[], T]) -> T:
        """Do it in a thread; raises `NotNow` where no place comes free."""
        token = object()
        await self._take_place(token)
        try:
            return await anyio.to_thread.run_sync(work, limiter=_unbounded())
        finally:
            self._limiter.release_on_behalf_of(token)

    async def _take_place(self, token: object) -> None:
        if self.waiting >= self._most_waiting:
            raise NotNow(f"too many wait for {self.name} already", self._longest_wait_s)
        self.waiting += 1
        try:
            with anyio.fail_after(self._longest_wait_s):
                await self._limiter.acquire_on_behalf_of(token)
        except TimeoutError:
            raise NotNow(f"{self.name} is busy", self._longest_wait_s) from None
        finally:
            self.waiting -= 1


def _unbounded() -> anyio.CapacityLimiter:
    """The lane has counted already."""
    return anyio.CapacityLimiter(1)


class Crossing:
    """The lanes of one gateway."""

    def __init__(self) -> None:
        self.slurm = Lane("Slurm", 4)
        self.accounting = Lane("the accounting", 4)
        self.hands = Lane("the hands", 8)
        self.files = Lane("files", 4)
        self.store = Lane("the store", 4)
        self.bodies = Lane("answers", 2)
        self.issuer = Lane("the issuer of tokens", 1)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return (
            self.slurm,
            self.accounting,
            self.hands,
            self.files,
            self.store,
            self.bodies,
            self.issuer,
        )
