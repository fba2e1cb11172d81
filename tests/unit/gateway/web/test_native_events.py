"""Events: who follows misses nothing, sees what he may, and is told where he missed some."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from tests.fakes.cluster import live_job
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.errors import NotSignedIn
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native import events
from waldur_slurm.model.names import UserName

ANN, BOB = UserName("ann"), UserName("bob")


@dataclass(frozen=True)
class Told:
    number: int
    kind: str
    data: Any


def parse(stream: bytes) -> list[Told]:
    found = []
    for block in stream.decode().split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines() if line[:1] != ":")
        if "data" in lines:
            told = Told(int(lines["id"]), lines["event"], json.loads(lines["data"]))
            found.append(told)
    return found


def site_of(*jobs: int) -> GatewaySite:
    site = GatewaySite(jobs_ttl=timedelta(seconds=0.02))
    for number in jobs:
        site.cluster.put(live_job(number, user=ANN if number % 2 else BOB))
    return site


def follow(
    site: GatewaySite,
    until: Callable[[list[Told]], bool],
    *,
    query: str = "",
    last: str = "",
    principal: Principal = ADMIN,
    changes: Callable[[list[Told]], object] = len,
    again: Callable[[], Principal] | None = None,
) -> list[Told]:
    """Follow until enough was told; `changes` is called after each piece."""
    headers = [(b"last-event-id", last.encode())] if last else []
    scope = {"type": "http", "query_string": query.encode(), "headers": headers, "path_params": {}}

    async def admit() -> Principal:
        return again() if again else principal

    async def run() -> list[Told]:
        response = await events.follow(Ask(Request(scope), principal, site.site, "one", admit))
        assert isinstance(response, StreamingResponse)
        told: list[Told] = []
        body: AsyncIterator[Any] = response.body_iterator  # type: ignore[assignment]  # a generator
        async for piece in body:
            told += parse(piece)
            if until(told):
                break
            changes(told)
        await body.aclose()  # type: ignore[attr-defined]  # as one is
        return told

    return asyncio.run(asyncio.wait_for(run(), 30))


def never(_told: list[Told]) -> bool:
    return False


def kinds(told: list[Told]) -> list[tuple[str, str | None]]:
    return [(each.kind, each.data.get("job_id")) for each in told]


def test_what_comes_turns_and_leaves_is_told_in_its_order() -> None:
    site = site_of(1, 3)

    def change(told: list[Told]) -> None:
        match len(told):
            case 0:
                site.cluster.put(live_job(5, user=ANN))
            case 1:
                site.cluster.begin(1)
            case _:
                site.cluster.forget(3)

    told = follow(site, lambda told: len(told) == 3, changes=change)

    assert kinds(told) == [("came", "5"), ("turned", "1"), ("left", "3")]
    assert (told[1].data["before"], told[1].data["state"]) == ("PENDING", "RUNNING")
    assert told[2].data["terminal"] is False


def test_who_comes_back_is_told_what_followed() -> None:
    site = site_of(1)

    def change(told: list[Told]) -> None:
        if not told:
            site.cluster.put(live_job(5))

    first = follow(site, bool, changes=change)
    site.cluster.put(live_job(7))
    site.cluster.put(live_job(9))

    again = follow(site, lambda told: len(told) == 2, last=str(first[-1].number))

    assert kinds(again) == [("came", "7"), ("came", "9")]


def test_a_number_that_the_log_does_not_reach_is_a_gap() -> None:
    site = site_of(1)

    told = follow(site, bool, query="after=999")

    assert kinds(told) == [("gap", None)]


def test_after_a_restart_whoever_follows_is_told_of_a_gap() -> None:
    before = site_of(1)
    before.get("/api/v1/jobs")
    after = GatewaySite(transitions=before.transitions, jobs_ttl=timedelta(seconds=0.02))

    told = follow(after, bool, query="after=1")

    assert kinds(told) == [("gap", None)]
    assert told[0].number > 1


def test_nobody_is_told_of_jobs_that_he_may_not_see() -> None:
    site = site_of(1, 2)

    def change(_told: list[Told]) -> None:
        site.cluster.begin(2)
        site.cluster.begin(1)

    told = follow(site, bool, principal=somebody("ann"), changes=change)

    assert {each.data["user"] for each in told} == {"ann"}


def test_filters_choose_what_is_told() -> None:
    site = site_of(1, 2, 3)

    def change(_told: list[Told]) -> None:
        for number in (1, 2, 3):
            site.cluster.begin(number)

    assert kinds(follow(site, bool, query="job=3", changes=change)) == [("turned", "3")]


def test_a_stream_ends_when_its_asker_may_no_longer_follow(monkeypatch: Any) -> None:
    site = site_of(1)
    monkeypatch.setattr(events, "LOOKED_AT_AGAIN_S", 0.0)

    def ended() -> Principal:
        raise NotSignedIn("this token was ended")

    assert follow(site, never, again=ended) == []


def test_a_stream_ends_when_its_asker_may_see_less(monkeypatch: Any) -> None:
    site = site_of(1)
    monkeypatch.setattr(events, "LOOKED_AT_AGAIN_S", 0.0)

    assert follow(site, never, again=lambda: somebody("ann")) == []


def test_streams_end_when_the_gateway_stops() -> None:
    site = site_of(1)
    site.site = replace(site.site, is_stopping=lambda: True)

    assert follow(site, never) == []


def test_what_cannot_be_written_is_a_gap_as_soon_as_it_can() -> None:
    site = site_of(1)
    site.get("/api/v1/jobs")
    site.transitions.is_broken = True
    site.cluster.put(live_job(5))
    site.pictures.jobs.forget()
    assert site.get("/api/v1/jobs").json["total"] == 2

    def mend(_told: list[Told]) -> None:
        site.transitions.is_broken = False
        site.cluster.put(live_job(7))

    told = follow(site, bool, changes=mend)

    assert kinds(told)[0] == ("gap", None)
    assert "transitions.lost" in [event.name for event in site.told]


def test_a_number_that_is_none_is_refused() -> None:
    site = site_of(1)

    assert site.get("/api/v1/events?after=yesterday").status == 400
