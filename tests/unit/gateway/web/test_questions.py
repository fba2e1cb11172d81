"""Questions to the accounting: waited for so long only, and asked once for all who ask the same."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event

import pytest

from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.web import questions
from waldur_slurm.gateway.web.crossing import Lane
from waldur_slurm.gateway.web.questions import Questions, go_on


class Sacct:
    """Answers when the test lets it."""

    def __init__(self) -> None:
        self.may_answer = Event()
        self.asked = 0

    def read(self) -> int:
        self.asked += 1
        assert self.may_answer.wait(60)
        return self.asked


def with_questions(do: Callable[[Questions], Awaitable[None]], patience_s: float = 0.01) -> None:
    async def done() -> None:
        await do(Questions(Lane("the accounting", 4), patience_s))

    asyncio.run(done())


async def answer_of(asked: Questions, sacct: Sacct) -> int:
    """Ask until there is an answer, as a client does."""
    while True:
        try:
            return await asked.ask(sacct.read, "q")
        except NotNow:
            continue


def test_whoever_waits_too_long_is_told_when_to_ask_again_and_then_has_the_answer() -> None:
    sacct = Sacct()

    async def do(asked: Questions) -> None:
        with pytest.raises(NotNow, match="has not answered within") as late:
            await asked.ask(sacct.read, "q")
        assert late.value.after_s == questions.AGAIN_AFTER_S
        sacct.may_answer.set()
        assert await answer_of(asked, sacct) == 1
        assert await answer_of(asked, sacct) == 2

    with_questions(do)


def test_equal_questions_at_once_are_one_and_others_are_not() -> None:
    sacct = Sacct()

    async def do(asked: Questions) -> None:
        waiting = [asyncio.ensure_future(asked.ask(sacct.read, name)) for name in "qqqr"]
        waiting += [asyncio.ensure_future(asked.ask(sacct.read)) for _ in range(2)]
        await asyncio.sleep(0)
        sacct.may_answer.set()
        await asyncio.gather(*waiting)

    with_questions(do, patience_s=60)

    assert sacct.asked == 4


def test_what_went_wrong_is_told_to_all_who_wait_and_kept_for_nobody() -> None:
    tries = []

    def fail() -> int:
        tries.append(1)
        raise AccountingDown(("sacct",), 1, "slurmdbd is away")

    async def do(asked: Questions) -> None:
        told = await asyncio.gather(
            *(asked.ask(fail, "q") for _ in range(3)), return_exceptions=True
        )
        assert [type(each) for each in told] == [AccountingDown] * 3
        with pytest.raises(AccountingDown):
            await asked.ask(fail, "q")

    with_questions(do, patience_s=60)

    assert len(tries) == 2


def test_a_question_begins_no_command_after_its_end() -> None:
    async def do() -> None:
        asked = Questions(Lane("the accounting", 4), patience_s=60, longest_s=-1)
        with pytest.raises(NotNow, match="ask for a shorter time"):
            await asked.ask(go_on)

    asyncio.run(do())


def test_a_command_that_is_for_no_question_is_always_begun() -> None:
    go_on()
