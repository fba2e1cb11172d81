"""A body for everybody is made once, whoever asks meanwhile, goes away, or is told of an error."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event

import pytest

from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.bodies import Bodies, BodyKey
from waldur_slurm.gateway.web.crossing import Lane
from waldur_slurm.gateway.web.making import Making

KEY = BodyKey("lab", 1, "jobs", "all", "gzip")


class Maker:
    """Ends when the test lets it."""

    def __init__(self) -> None:
        self.may_end = Event()
        self.began = 0

    def make(self) -> bytes:
        self.began += 1
        assert self.may_end.wait(60)
        return b"body"


def with_making(do: Callable[[Making, Lane], Awaitable[None]]) -> None:
    async def done() -> None:
        lane = Lane("answers", 2)
        await do(Making(Bodies(), lane), lane)

    asyncio.run(done())


def test_all_who_ask_at_once_get_one_body_from_one_thread_and_the_next_gets_it_ready() -> None:
    maker = Maker()

    async def do(making: Making, lane: Lane) -> None:
        waiting = [asyncio.ensure_future(making.body(KEY, maker.make)) for _ in range(50)]
        await asyncio.sleep(0.01)
        assert (lane.busy, lane.waiting) == (1, 0)
        maker.may_end.set()
        assert await asyncio.gather(*waiting) == [b"body"] * 50
        assert await making.body(KEY, maker.make) == b"body"

    with_making(do)

    assert maker.began == 1


def test_who_goes_away_takes_it_from_nobody() -> None:
    maker = Maker()

    async def do(making: Making, _lane: Lane) -> None:
        first = asyncio.ensure_future(making.body(KEY, maker.make))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(making.body(KEY, maker.make))
        await asyncio.sleep(0)
        first.cancel()
        maker.may_end.set()
        assert await second == b"body"

    with_making(do)

    assert maker.began == 1


def test_an_error_is_told_to_all_who_wait_and_kept_for_nobody() -> None:
    tries = []

    def fail() -> bytes:
        tries.append(1)
        raise NotNow("a defect")

    async def do(making: Making, _lane: Lane) -> None:
        told = await asyncio.gather(
            *(making.body(KEY, fail) for _ in range(3)), return_exceptions=True
        )
        assert [type(each) for each in told] == [NotNow] * 3
        with pytest.raises(NotNow):
            await making.body(KEY, fail)

    with_making(do)

    assert len(tries) == 2
