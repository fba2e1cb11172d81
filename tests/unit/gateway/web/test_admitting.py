"""Who is known from memory waits for nothing; who is not waits for one errand with all others."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.principals import NOBODY, Principal
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.web.admitting import Admission
from waldur_slurm.gateway.web.crossing import Crossing, Lane


@dataclass
class Doorkeeper:
    """Needs an errand before it knows anybody; `threads` are where it ran."""

    is_known: bool = False
    failure: Exception | None = None
    asks: Asks = Asks.STORE
    threads: list[threading.Thread] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    shown: list[Shown] = field(default_factory=list)

    def admit(self, shown: Shown) -> Principal | Errand:
        self.shown.append(shown)
        return NOBODY if self.is_known else Errand(self.asks, "who it is", self.find_out)

    def find_out(self) -> None:
        self.threads.append(threading.current_thread())
        self.go_on.wait(10)
        if self.failure:
            raise self.failure
        self.is_known = True


async def once_begun(keeper: Doorkeeper, tasks: list["asyncio.Task[Principal]"]) -> None:
    """Let all of them ask, and the errand begin, before it may end."""
    while len(keeper.shown) < len(tasks) or not keeper.threads:
        await asyncio.sleep(0.001)


def test_fifty_who_wait_for_the_same_thing_have_it_found_out_once() -> None:
    keeper = Doorkeeper()

    async def ask() -> list[Principal]:
        admission = Admission(keeper, Crossing())
        tasks = [asyncio.ensure_future(admission.admit(Shown())) for _ in range(50)]
        await once_begun(keeper, tasks)
        keeper.go_on.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(ask()) == [NOBODY] * 50
    assert len(keeper.threads) == 1


def test_one_who_goes_away_takes_nothing_from_the_others() -> None:
    keeper = Doorkeeper()

    async def ask() -> Principal:
        admission = Admission(keeper, Crossing())
        first, second = (asyncio.ensure_future(admission.admit(Shown())) for _ in range(2))
        await once_begun(keeper, [first, second])
        first.cancel()
        keeper.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(ask()) == NOBODY
    assert len(keeper.threads) == 1


def test_an_errand_that_fails_fails_for_all_who_wait_and_is_tried_anew_by_the_next() -> None:
    keeper = Doorkeeper(failure=NotNow("the disk is gone"))

    async def ask() -> list[Principal | BaseException]:
        admission = Admission(keeper, Crossing())
        tasks = [asyncio.ensure_future(admission.admit(Shown())) for _ in range(3)]
        await once_begun(keeper, tasks)
        keeper.go_on.set()
        failed = await asyncio.gather(*tasks, return_exceptions=True)
        keeper.failure = None
        return [*failed, await admission.admit(Shown())]

    *failed, found = asyncio.run(ask())
    assert [type(each) for each in failed] == [NotNow] * 3
    assert found == NOBODY
    assert len(keeper.threads) == 2


@pytest.mark.parametrize("asks", Asks)
def test_each_errand_keeps_its_own_lane_busy_and_never_the_loop(asks: Asks) -> None:
    keeper = Doorkeeper(asks=asks)

    async def ask() -> list[Lane]:
        crossing = Crossing()
        task = asyncio.ensure_future(Admission(keeper, crossing).admit(Shown()))
        await once_begun(keeper, [task])
        busy = [lane for lane in crossing.lanes if lane.busy]
        keeper.go_on.set()
        await task
        return busy

    (lane,) = asyncio.run(ask())
    assert lane.busy == 0
    assert keeper.threads[0] is not threading.main_thread()


def test_who_is_known_crosses_to_no_thread() -> None:
    keeper = Doorkeeper(is_known=True)

    assert asyncio.run(Admission(keeper, Crossing()).admit(Shown())) == NOBODY
    assert keeper.threads == []


def test_a_second_look_is_one_of_now_that_does_not_count() -> None:
    keeper = Doorkeeper(is_known=True)
    first = Shown(host="gw", at=1.0)

    asyncio.run(Admission(keeper, Crossing()).admit_again(first))

    (again,) = keeper.shown
    assert (again.host, again.is_again) == ("gw", True)
    assert again.at > first.at


@dataclass
class Reading:
    """What is shown after a reading began needs another one; `calls` without one are counted."""

    began: float = 0.0
    now: float = 0.0
    calls: int = 0

    def admit(self, shown: Shown) -> Principal | Errand:
        self.calls += 1
        assert self.calls < 10_000, "it asks again and again, and finds nothing out"
        return NOBODY if self.began >= shown.at else Errand(Asks.STORE, "tokens", self.find_out)

    def find_out(self) -> None:
        self.began, self.calls = self.now, 0


def test_an_errand_that_has_just_ended_is_run_again_for_whoever_came_since() -> None:
    keeper = Reading()

    async def ask() -> list[Principal]:
        admission, asked = Admission(keeper, Crossing()), []
        for _ in range(2000):
            keeper.now += 1
            asked.append(asyncio.ensure_future(admission.admit(Shown(at=keeper.now))))
            await asyncio.sleep(0)
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == [NOBODY] * 2000
