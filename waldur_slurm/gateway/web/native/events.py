"""What becomes of jobs, as server-sent events: nobody has to poll, and nobody misses anything.

Each event carries a number; who comes back with the last one he heard is told what followed. Where
the log does not reach back so far he is told of a gap, and reads the list again.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Annotated

import msgspec
from starlette.responses import Response, StreamingResponse

from waldur_slurm.gateway.errors import GatewayError, NotNow, WrongAsk
from waldur_slurm.gateway.picture.transitions import Kind, Numbered, Transition
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import ids_in, names_in
from waldur_slurm.gateway.web.native.spelling import JobIds

EVENT_STREAM = "text/event-stream"
HEARTBEAT_S = 15.0
"""A line in between, so that proxies do not take a quiet stream for a dead one."""

LOOKED_AT_AGAIN_S = 30.0
"""How often it is asked whether the asker may still follow."""

_AT_ONCE = 500


class EventsQuery(msgspec.Struct, frozen=True):
    """Lists by commas. `after`: the number of the last event heard, as in `Last-Event-ID`."""

    job: JobIds = ""
    user: str = ""
    state: str = ""
    after: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[0-9]{0,18}$"})] = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is empty does not restrict; a gap is told to everybody who follows the cluster."""

    cluster: str
    jobs: frozenset[str]
    users: frozenset[str]
    states: frozenset[str]
    owners: Collection[str] | None

    def takes(self, transition: Transition) -> bool:
        if transition.cluster != self.cluster:
            return False
        if transition.kind is Kind.GAP:
            return True
        return (
            (self.owners is None or transition.user in self.owners)
            and (not self.jobs or transition.job_id in self.jobs)
            and (not self.users or transition.user in self.users)
            and (not self.states or transition.state.partition("+")[0] in self.states)
        )


async def follow(ask: Ask) -> Response:
    query = ask.query(EventsQuery)
    wanted = Wanted(
        cluster=ask.cluster.name,
        jobs=frozenset(map(str, ids_in(query.job))),
        users=names_in(query.user),
        states=frozenset(word.upper() for word in names_in(query.state)),
        owners=ask.principal.sees_only,
    )
    begin = _heard(query.after or ask.request.headers.get("last-event-id", ""))
    await ask.see(ask.cluster.jobs)
    lowest, highest = await ask.site.crossing.store.run(ask.site.recorder.bounds)
    number = highest if begin is None else begin
    is_lost = number > highest or number + 1 < lowest
    stream = _stream(ask, wanted, highest if is_lost else number, is_lost=is_lost)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, headers=headers, media_type=EVENT_STREAM)


def _heard(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    raise WrongAsk("after: expected the number of the last event that was heard")


async def _stream(ask: Ask, wanted: Wanted, number: int, *, is_lost: bool) -> AsyncIterator[bytes]:
    """Tell what follows `number`, until the asker goes away or may no longer follow."""
    recorder, loop, more = ask.site.recorder, asyncio.get_running_loop(), asyncio.Event()

    def note() -> None:
        loop.call_soon_threadsafe(more.set)

    stop = recorder.listen(note)
    looked = spoke = monotonic()
    try:
        yield b"retry: 3000\n\n" + (_gap(number, wanted.cluster) if is_lost else b"")
        while not ask.site.is_stopping():
            found = await _read(ask, number)
            if found:
                number = found[-1].number
                told = b"".join(_told(each for each in found if wanted.takes(each.transition)))
                if told:
                    yield told
                    spoke = monotonic()
                continue
            if monotonic() - spoke >= HEARTBEAT_S:
                yield b": still here\n\n"
                spoke = monotonic()
            if monotonic() - looked >= LOOKED_AT_AGAIN_S:
                if not await _may_still(ask, wanted):
                    return
                looked = monotonic()
            await _wait(ask, more)
    finally:
        stop()


async def _read(ask: Ask, number: int) -> tuple[Numbered, ...]:
    recorder = ask.site.recorder
    if recorder.newest <= number:
        return ()
    return await ask.site.crossing.store.run(lambda: recorder.after(number, _AT_ONCE))


async def _wait(ask: Ask, more: asyncio.Event) -> None:
    """Wait for what comes; whoever follows sees to it that there are new pictures."""
    try:
        await asyncio.wait_for(more.wait(), ask.cluster.jobs.ttl_s)
    except TimeoutError:
        try:
            await ask.see(ask.cluster.jobs)
        except NotNow:
            return  # a silent Slurm is no event of a job
    more.clear()


async def _may_still(ask: Ask, wanted: Wanted) -> bool:
    """A token that was ended, or that may see less now, ends the stream."""
    try:
        now = await ask.again()
    except GatewayError:
        return False
    return now.sees_only == wanted.owners


def _told(events: Iterable[Numbered]) -> Iterator[bytes]:
    for number, event in events:
        data = msgspec.json.encode(
            {
                "at": event.at,
                "cluster": event.cluster,
                "kind": event.kind.value,
                "job_id": event.job_id,
                "submit_time": event.submitted,
                "user": event.user,
                "before": event.before or None,
                "state": event.state,
                "terminal": event.is_terminal,
                "outcome": event.outcome or None,
            }
            if event.kind is not Kind.GAP
            else {"at": event.at, "cluster": event.cluster, "kind": event.kind.value}
        )
        yield b"id: %d\nevent: %s\ndata: %s\n\n" % (number, event.kind.value.encode(), data)


def _gap(number: int, cluster: str) -> bytes:
    data = msgspec.json.encode({"cluster": cluster, "kind": Kind.GAP.value})
    return b"id: %d\nevent: gap\ndata: %s\n\n" % (number, data)
