"""Long questions to the accounting: nobody waits for one without end, and equal ones are one.

Whoever has waited long enough is told "not now". His question goes on without him, and what it
found is kept for a while for whoever asks the same again; but it cannot go on for ever.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from time import monotonic
from typing import Any, Generic, TypeVar

from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.web.crossing import LONGEST_WAIT_S, Lane

PATIENCE_S = LONGEST_WAIT_S
"""How long anybody waits for an answer: as long as for a place in a lane, well below the minute
after which proxies let go."""

AGAIN_AFTER_S = 5.0
"""When it is worth asking again: the question is under way."""

KEPT_S = 60.0
"""How long an answer is kept that came too late for those who had asked for it."""

LONGEST_S = 300.0
"""After so long no more of Slurm's commands are begun for one question."""

T = TypeVar("T")

_ENDS: ContextVar[float | None] = ContextVar("when the question ends", default=None)


def go_on() -> None:
    """Raise `NotNow` where the question that this is asked for has taken too long already."""
    ends = _ENDS.get()
    if ends is not None and monotonic() > ends:
        raise NotNow("it takes the accounting too long; ask for a shorter time", AGAIN_AFTER_S)


class _Question(Generic[T]):
    def __init__(self, task: "asyncio.Task[T]") -> None:
        self.task = task
        self.waiting = 0


class Questions:
    """To one gateway's accountings, through their lane."""

    def __init__(
        self, lane: Lane, patience_s: float = PATIENCE_S, longest_s: float = LONGEST_S
    ) -> None:
        self._lane = lane
        self._patience_s = patience_s
        self._longest_s = longest_s
        self._asked: dict[str, _Question[Any]] = {}

    async def ask(self, read: Callable[[], T], same: str = "") -> T:
        """Return what `read` does, which may block; `same` names it for others who ask it too.

        Raises `NotNow` where it takes too long; what `read` raises is raised for all who wait.
        """
        question = self._asked.get(same) or self._begin(read, same)
        question.waiting += 1
        try:
            done, _ = await asyncio.wait([question.task], timeout=self._patience_s)
        finally:
            question.waiting -= 1
        if not done:
            words = f"the accounting has not answered within {self._patience_s:.0f} s"
            raise NotNow(f"{words}; ask again later, or for a shorter time", AGAIN_AFTER_S)
        self._forget(question, same)
        answer: T = question.task.result()
        return answer

    def _begin(self, read: Callable[[], T], same: str) -> _Question[T]:
        question = _Question(asyncio.ensure_future(self._run(read)))
        if same:
            self._asked[same] = question
            question.task.add_done_callback(lambda _: self._keep(question, same))
        return question

    async def _run(self, read: Callable[[], T]) -> T:
        _ENDS.set(monotonic() + self._longest_s)
        return await self._lane.run(read)

    def _keep(self, question: _Question[T], same: str) -> None:
        """Forget it, or do so later where it is an answer that nobody has had."""
        is_owed = not question.task.cancelled() and question.task.exception() is None

        if is_owed and not question.waiting:
            asyncio.get_running_loop().call_later(KEPT_S, self._forget, question, same)
        else:
            self._forget(question, same)

    def _forget(self, question: _Question[T], same: str) -> None:
        if self._asked.get(same) is question:
            del self._asked[same]
