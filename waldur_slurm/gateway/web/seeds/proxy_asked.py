"""What clients of the third original send, and what it is held against."""

from typing import Any

from waldur_slurm.gateway.errors import GatewayError, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.seeds.proxy_refusals import Wrong
from waldur_slurm.gateway.web.seeds.proxy_wire import parse

NO_JSON = "Invalid JSON format"
MOST_NUMBER = 2**32 - 1
"""Of a job, as Slurm counts them."""


async def asked(ask: Ask, empty: GatewayError) -> dict[str, Any]:
    """Read the body, of whatever type it is said to be; raises `empty` where it says nothing."""
    body = await ask.content()
    try:
        found = parse(body)
    except WrongAsk as error:
        raise Wrong(f"{NO_JSON}: {error}") from None
    if not found or not isinstance(found, dict):
        raise empty
    return found


def named_user(ask: Ask) -> str:
    """Return whom the query names; of two, nobody could tell which one is meant."""
    named = ask.request.query_params.getlist("username")
    if len(named) > 1:
        raise Wrong("username is there more than once")
    return named[0] if named else ""
