"""The second original's `/history` and `/users`: what the accounting remembers."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import msgspec
from starlette.responses import Response

from waldur_slurm.errors import SlurmError
from waldur_slurm.gateway.errors import NotNow, NotThere
from waldur_slurm.gateway.records.port import Records
from waldur_slurm.gateway.records.sacct import SacctRecords
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.seeds.restapi import query_of
from waldur_slurm.gateway.web.seeds.restapi_history import (
    belongings_view,
    first,
    record_view,
    records_wanted,
)

T = TypeVar("T")

_TRY_AGAIN_S = 10.0


async def history(ask: Ask) -> Response:
    records = _records(ask)
    wanted = replace(
        records_wanted(query_of(ask)),
        owners=None if ask.principal.sees_all else ask.principal.own_users,
        hidden=ask.site.restapi.hidden_everywhere,
    )

    def make() -> bytes:
        return _data([record_view(record) for record in records.read_jobs(wanted)])

    return Response(await _ask_accounting(ask, make), media_type=JSON)


async def users(ask: Ask) -> Response:
    """Both words serve: the one that the original reads, and the one of its document."""
    records = _records(ask)
    name = first(query_of(ask), "name", "user")

    def make() -> bytes:
        return _data(belongings_view(records.read_belongings(), name))

    return Response(await _ask_accounting(ask, make), media_type=JSON)


def _records(ask: Ask) -> Records:
    site, cluster = ask.site.restapi, ask.cluster
    if not site.has_accounting:
        raise NotThere("the accounting is not shown here")
    return site.records.get(cluster.name) or SacctRecords(cluster.history, site.reach)


async def _ask_accounting(ask: Ask, work: Callable[[], T]) -> T:
    try:
        return await ask.site.questions.ask(work)
    except SlurmError as silence:
        words = f"the accounting does not answer: {silence}"
        raise NotNow(words, _TRY_AGAIN_S) from silence


def _data(value: object) -> bytes:
    return msgspec.json.encode({"data": value}) + b"\n"
