"""The least that requests can cost: a pool of connections, eight at a time, nothing read twice."""

import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urljoin

import urllib3

from benchmarks.site import Site

AT_A_TIME = 8


class Refused(Exception):
    """A request that a floor needs was not accepted."""


class BareRequest(NamedTuple):
    method: str
    path: str
    said: object = None


def bare_seconds(site: Site, *stages: Sequence[BareRequest]) -> float:
    """How long these requests take; a stage begins when the one before is over."""
    headers = {
        "Authorization": f"token {site.waldur.tokens.provider}",
        "Accept": "application/json",
    }
    pool = urllib3.PoolManager(maxsize=AT_A_TIME, block=True, headers=headers)

    def send(request: BareRequest) -> None:
        body = None if request.said is None else json.dumps(request.said)
        more = headers | {"Content-Type": "application/json"} if body else headers
        url = urljoin(site.waldur.url, request.path)
        answer = pool.request(request.method, url, body=body, headers=more, retries=False)
        if answer.status >= 300:
            raise Refused(f"{request.method} {request.path}: {answer.status} {answer.data[:300]!r}")

    began = time.monotonic()
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        for stage in stages:
            _all(threads.map(send, stage))
    return time.monotonic() - began


def _all(answers: Iterable[None]) -> None:
    for _ in answers:
        pass
