"""Bodies that are made for everybody: one thread makes each, and all who ask for it wait together.

Whoever waits holds no place, and one who goes away takes the body from nobody.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from waldur_slurm.gateway.picture.bodies import Bodies, BodyKey
from waldur_slurm.gateway.web.crossing import Lane


class Making:
    """Of one gateway, through the lane of its answers."""

    def __init__(self, bodies: Bodies, lane: Lane) -> None:
        self._bodies = bodies
        self._lane = lane
        self._under_way: dict[BodyKey, asyncio.Task[bytes]] = {}

    async def body(self, key: BodyKey, make: Callable[[], bytes]) -> bytes:
        """Return the body that is kept, or is being made, or `make` makes; `NotNow` as a lane."""
        found = self._bodies.find(key)
        if found is not None:
            return found
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(self._make(key, make))
            task.add_done_callback(partial(self._end, key))
        return await asyncio.shield(task)

    async def _make(self, key: BodyKey, make: Callable[[], bytes]) -> bytes:
        return await self._lane.run(partial(self._bodies.find_or_make, key, make))

    def _end(self, key: BodyKey, task: "asyncio.Task[bytes]") -> None:
        """Let asyncio not complain of an error that nobody has waited for."""
        del self._under_way[key]
        if not task.cancelled():
            task.exception()
