"""How a request is shown a picture: at once where there is one, else with all others who wait."""

import asyncio
from typing import TypeVar

from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.freshness import life_s
from waldur_slurm.gateway.picture.keeper import Flight, Keeper, Seen
from waldur_slurm.gateway.web.crossing import Lane

Value = TypeVar("Value")

_A_MOMENT_S = 0.05

_FLIGHTS: set[asyncio.Task[None]] = set()
"""Tasks under way: the loop itself holds them only weakly."""


async def see(keeper: Keeper[Value], lane: Lane, *, younger_than: float = 0.0) -> Seen[Value]:
    """Raises `NotNow` where Slurm has been silent for too long."""
    asked = keeper.now
    while True:
        look = keeper.look(younger_than=younger_than, asked=asked)
        if look.to_take:
            _start(look.to_take, lane)
        match look.answer:
            case Seen():
                return look.answer
            case NotNow():
                raise look.answer
            case landed:
                await asyncio.wait([asyncio.wrap_future(landed)], timeout=keeper.patience_s)


async def see_after(keeper: Keeper[Value], lane: Lane, moment: float) -> Seen[Value]:
    """Wait for a picture begun after `moment`, without asking Slurm more often for it.

    Where Slurm is silent it is an older one.
    """
    while True:
        seen = await see(keeper, lane)
        if seen.silence or seen.picture.began >= moment:
            return seen
        life = life_s(keeper.ttl_s, seen.picture.took_s)
        await asyncio.sleep(max(life - seen.age_s, _A_MOMENT_S))


def _start(flight: Flight[Value], lane: Lane) -> None:
    """A flight belongs to all who wait: it goes on where the one who began it goes away."""
    task = asyncio.ensure_future(_fly(flight, lane))
    _FLIGHTS.add(task)
    task.add_done_callback(_FLIGHTS.discard)


async def _fly(flight: Flight[Value], lane: Lane) -> None:
    try:
        await lane.run(flight.take)
    except NotNow as busy:
        flight.drop(str(busy))
    except asyncio.CancelledError:
        flight.drop("the gateway stops")
        raise
