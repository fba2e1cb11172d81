"""How a request learns who asks: at once from what is in memory, else after an errand in a lane."""

import asyncio
from dataclasses import replace
from time import monotonic
from typing import Protocol

from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.web.crossing import Crossing, Lane


class Doorkeeper(Protocol):
    """Says who asks, or what to find out first; raises a `GatewayError` for what is no good."""

    def admit(self, shown: Shown) -> Principal | Errand: ...


class Admission:
    """Runs each errand once, however many requests wait for it."""

    def __init__(self, doorkeeper: Doorkeeper, crossing: Crossing) -> None:
        self._doorkeeper = doorkeeper
        self._lanes: dict[Asks, Lane] = {
            Asks.STORE: crossing.store,
            Asks.SYSTEM: crossing.hands,
            Asks.ISSUER: crossing.issuer,
        }
        self._under_way: dict[Errand, asyncio.Task[None]] = {}

    async def admit(self, shown: Shown) -> Principal:
        """Say who it is; raises a `GatewayError`."""
        while isinstance(found := self._doorkeeper.admit(shown), Errand):
            await self._done(found)
        return found

    async def admit_again(self, shown: Shown) -> Principal:
        """Say once more who it is, for an answer that lasts."""
        return await self.admit(replace(shown, at=monotonic(), is_again=True))

    async def _done(self, errand: Errand) -> None:
        """Wait for its end; it goes on for the others where one who waits goes away.

        One that has ended found out nothing for who came after it; and awaiting it would not let
        the loop go on.
        """
        task = self._under_way.get(errand)
        if task is None or task.done():
            task = asyncio.ensure_future(self._lanes[errand.asks].run(errand.run))
            self._under_way[errand] = task
            task.add_done_callback(lambda done: self._forget(errand, done))
        await asyncio.shield(task)

    def _forget(self, errand: Errand, task: asyncio.Task[None]) -> None:
        if self._under_way.get(errand) is task:
            del self._under_way[errand]
