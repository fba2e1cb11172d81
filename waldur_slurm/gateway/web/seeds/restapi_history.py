"""`/history` and `/users`: what their queries ask for, and their items. Pure.

Comparators stand in the query as people type them, `jobid<=987654`, which no parser of forms
expects: what comes before the first `=` is then `jobid<`, and of `jobid<9` all of it is a name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.records.record import STATES, Belonging, Numbers, Record, RecordsWanted
from waldur_slurm.gateway.web.seeds.restapi_words import NO_LIMIT, Zone, limit_in_words, spelled
from waldur_slurm.model.names import UserName

FIRST_PAGE = 10
MOST = 100_000
"""Items of one answer; more are asked for page by page."""

_INTEGER = re.compile(r"\s*([+-]?\d{1,18})\s*", re.ASCII)
_BOUND = re.compile(r"jobid(<=|>=|<|>|=|\[(?:lte|gte|lt|gt|eq)\]=?)(.*)", re.DOTALL)
_NATIVE = {"[lte]": "<=", "[gte]": ">=", "[lt]": "<", "[gt]": ">", "[eq]": "="}
_SEEDS_WORDS = {"COMPLETED": "JOB_COMPLETE", "OUT_OF_MEMORY": "JOB_OOM"}

Query = Sequence[tuple[str, str]]
"""Names and values, those that are empty too."""


class WrongQuery(WrongAsk):
    """What the original's clients are told with status 200, as ever."""


def first(query: Query, *names: str) -> str | None:
    """Return the first value under one of `names`; an empty one is none."""
    return next((value for name, value in query if name in names and value), None)


def integer(query: Query, name: str) -> int | None:
    """Return the first value under a name; an empty one is no number."""
    text = next((value for each, value in query if each == name), None)
    return None if text is None else _integer(name, text)


def records_wanted(query: Query) -> RecordsWanted:
    """Read a query of `/history`; what is not known in it does not restrict, as ever."""
    limit, offset = integer(query, "limit"), integer(query, "offset")
    user = first(query, "user")
    state = integer(query, "state")
    wanted = RecordsWanted(
        limit=FIRST_PAGE if limit is None else limit,
        offset=offset or 0,
        user=None if user is None else UserName(user),
        partition=first(query, "partition"),
        name=first(query, "jobname"),
        association=integer(query, "associd"),
        state=None if state is None else STATES.get(state, f"number {state}"),
        numbers=_numbers(query),
    )
    if wanted.limit < 0 or wanted.offset < 0:
        raise WrongQuery("limit and offset are not below 0")
    if wanted.limit > MOST:
        raise WrongQuery(f"limit is at most {MOST}; ask for the rest with offset")
    return wanted


def _numbers(query: Query) -> Numbers:
    """Join all bounds of `jobid`, however each is written."""
    found = Numbers()
    for sign, number in _bounds(query):
        if sign in ("=", ">=", ">"):
            least = number + (sign == ">")
            found = replace(found, least=least if found.least is None else max(least, found.least))
        if sign in ("=", "<=", "<"):
            most = number - (sign == "<")
            found = replace(found, most=most if found.most is None else min(most, found.most))
    return found


def _bounds(query: Query) -> Iterator[tuple[str, int]]:
    for name, value in query:
        match = _BOUND.fullmatch(f"{name}={value}" if value else name)
        if match or name == "jobid":
            sign, number = match.groups() if match else ("=", "")
            yield _NATIVE.get(sign.rstrip("="), sign), _integer("jobid", number)


def _integer(name: str, text: str) -> int:
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise WrongQuery(f"{name}: expected a whole number")
    return int(match[1])


def record_view(record: Record, zone: Zone = None) -> Mapping[str, object]:
    limit = NO_LIMIT if record.limit_minutes is None else record.limit_minutes
    return {
        "id_job": record.number,
        "id_user": record.uid,
        "id_assoc": record.association,
        "job_name": record.name,
        "cpus_req": record.cpus,
        "mem_req": record.memory_mib,
        "account": record.account,
        "nodelist": record.hosts or "None assigned",
        "partition": record.partition,
        "nodes_alloc": record.node_count,
        "timelimit": limit_in_words(limit),
        "time_submit": spelled(record.submitted, zone),
        "time_start": spelled(record.start, zone),
        "time_end": spelled(record.end, zone),
        "priority": record.priority,
        "state": _SEEDS_WORDS.get(record.state, f"JOB_{record.state}"),
        "user_name": record.user,
    }


def belongings_view(
    belongings: Sequence[Belonging], name: str | None
) -> Sequence[Mapping[str, object]]:
    """List all, or those of one user, by account then, as the database's index has them."""
    found = [each for each in belongings if each.user and name in (None, each.user)]
    if name is not None:
        found.sort(key=lambda each: (each.account, each.partition))
    return [
        {
            "id_assoc": each.id,
            "user": each.user,
            "acct": each.account,
            "partition": each.partition,
        }
        for each in found
    ]
