"""Single jobs of the accounting: one question for all who ask, and never a guess."""

import asyncio
from collections.abc import Collection
from threading import Event

import pytest

from tests.fakes.past import past_run
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.web import recalling
from waldur_slurm.gateway.web.crossing import Lane
from waldur_slurm.gateway.web.recalling import MOST_KEPT, MOST_WAITED_FOR, Answer, Recall
from waldur_slurm.model.batch import JobId


class Accounting:
    """Knows even numbers."""

    def __init__(self) -> None:
        self.asked: list[Collection[JobId]] = []
        self.error: Exception | None = None
        self.doubt = ""
        self.may_answer = Event()
        self.may_answer.set()

    def read(self, jobs: Collection[JobId]) -> Answer[str]:
        self.asked.append(jobs)
        assert self.may_answer.wait(30)
        if self.error:
            raise self.error
        return Answer(
            {job: past_run(job.number).name for job in jobs if job.number % 2 == 0}, self.doubt
        )


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Site:
    def __init__(self) -> None:
        self.accounting = Accounting()
        self.clock = Clock()
        self.recall: Recall[str] = Recall(self.accounting.read, self.clock)
        self.lane = Lane("the accounting", 4)

    async def find(self, number: int, since: float = 0.0) -> str | None:
        return await self.recall.find(JobId(number), since, self.lane)


def test_a_hundred_who_ask_at_once_cost_two_questions_at_most() -> None:
    site = Site()

    async def ask() -> list[str | None]:
        return await asyncio.gather(*(site.find(number) for number in range(100)))

    found = asyncio.run(ask())

    assert found == ["job", None] * 50
    assert len(site.accounting.asked) <= 2


def test_asking_again_for_what_is_not_there_costs_nothing_until_there_is_a_newer_list() -> None:
    site = Site()

    async def ask(since: float) -> None:
        for _ in range(50):
            assert await site.find(1, since) is None

    asyncio.run(ask(999.0))
    assert len(site.accounting.asked) == 1
    site.clock.now = 1010.0
    asyncio.run(ask(1005.0))
    assert len(site.accounting.asked) == 2


def test_what_is_kept_is_bounded() -> None:
    site = Site()

    async def ask() -> None:
        for begin in range(0, 3 * MOST_KEPT, 400):
            await asyncio.gather(*(site.find(number) for number in range(begin, begin + 400)))

    asyncio.run(ask())

    assert len(site.recall._kept) == MOST_KEPT


def test_too_many_different_jobs_at_once_are_refused_and_those_before_are_answered() -> None:
    site = Site()
    site.accounting.may_answer.clear()

    async def ask() -> list[str | BaseException | None]:
        asked = [asyncio.ensure_future(site.find(n)) for n in range(2 * MOST_WAITED_FOR)]
        await asyncio.sleep(0)
        site.accounting.may_answer.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(ask())

    assert sum(isinstance(answer, NotNow) for answer in answers) == MOST_WAITED_FOR
    assert answers[:4] == ["job", None, "job", None]


def test_a_silent_accounting_says_nothing_of_any_job_and_nobody_waits_for_it_again() -> None:
    site = Site()
    site.accounting.error = AccountingDown(("sacct",), 1, "slurmdbd is away")

    async def ask() -> None:
        with pytest.raises(NotNow, match="slurmdbd is away"):
            await site.find(2)
        site.accounting.may_answer.clear()
        for _ in range(20):
            with pytest.raises(NotNow, match="slurmdbd is away"):
                await site.find(2)
        site.accounting.error = None
        site.accounting.may_answer.set()
        while True:
            try:
                assert await site.find(2) == "job"
            except NotNow:
                await asyncio.sleep(0.01)
            else:
                return

    asyncio.run(ask())


def test_a_defect_lets_nobody_wait_for_ever() -> None:
    site = Site()
    site.accounting.error = ZeroDivisionError()

    with pytest.raises(NotNow, match="a defect of the gateway"):
        asyncio.run(site.find(2))


def test_a_record_that_is_not_understood_may_be_of_any_job_that_was_not_found() -> None:
    site = Site()
    site.accounting.doubt = "a record of the accounting is not understood"

    async def ask() -> None:
        assert await site.find(2) == "job"
        with pytest.raises(NotNow, match="not understood"):
            await site.find(1)

    asyncio.run(ask())


def test_who_goes_away_takes_nobodys_answer() -> None:
    site = Site()
    site.accounting.may_answer.clear()

    async def ask() -> str | None:
        first = asyncio.ensure_future(site.find(2))
        second = asyncio.ensure_future(site.find(2))
        await asyncio.sleep(0.01)
        first.cancel()
        site.accounting.may_answer.set()
        return await second

    assert asyncio.run(ask()) == "job"


def test_nobody_waits_as_long_as_a_question_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalling, "PATIENCE_S", 0.05)
    site = Site()
    site.recall = Recall(site.accounting.read)
    site.accounting.may_answer.clear()

    async def ask() -> str | None:
        for _ in range(3):
            with pytest.raises(NotNow, match="has not answered yet"):
                await site.find(2)
        assert len(site.accounting.asked) == 1
        site.accounting.may_answer.set()
        while True:
            try:
                return await site.find(2)
            except NotNow:
                await asyncio.sleep(0.01)

    assert asyncio.run(ask()) == "job"
