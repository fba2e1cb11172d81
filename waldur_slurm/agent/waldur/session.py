"""The one seam under python-waldur-client: how its requests are sent, repeated and read.

The library keeps its endpoints, payloads and query building. Replaced is everything that touches
the wire: see "The client library" in docs/waldur-contract.md for what was wrong with it.
"""

import time
import warnings
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.waldur.paging import Read, decoded, read_all
from waldur_slurm.agent.waldur.transport import (
    READS,
    Answer,
    Bounds,
    NotNow,
    Observer,
    Transport,
    brief,
)

with warnings.catch_warnings():
    # Importing it silences urllib3's InsecureRequestWarning for the whole process: put back here.
    from waldur_client import (  # type: ignore[import-untyped]  # ships no types
        Endpoints,
        WaldurClient,
    )

PAGE_SIZE = 300
"""The largest page that Waldur gives; more is cut to it without a word."""

PATIENCE_SECONDS = 30.0
"""A longer `Retry-After` is left to the next cycle."""

ATTEMPTS = 4

OVERWRITES = frozenset(
    {
        "create_association",
        "refresh_last_sync",
        "set_as_erred",
        "set_as_ok",
        "set_backend_id",
        "set_limits",
        "set_membership_sync_statuses",
        "set_provider_info",
        "set_usage",
        "set_user_usage",
        "set_user_usages",
        "update_offering_component",
    }
)
"""Actions that leave the same behind however often they arrive: only these writes are repeated."""


__all__ = ["Endpoints", "WaldurSession"]


class WaldurSession(WaldurClient):  # type: ignore[misc]  # the library ships no types
    """`WaldurClient` over one bounded, pooled, strict transport."""

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        user_agent: str,
        bounds: Bounds,
        verify: bool = True,
        threads: int = 8,
        observer: Observer = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("the token is empty or not one printable word")
        super().__init__(api_url, token, user_agent)
        self.server_date: str | None = None
        self.lost_routes = 0
        self._token = token
        self._bounds = bounds
        self._sleep = sleep
        self._transport = Transport(
            self.api_url,
            token,
            user_agent=user_agent,
            bounds=bounds,
            verify=verify,
            threads=threads,
            observer=observer,
        )

    def close(self) -> None:
        self._transport.close()

    def find(self, url: str) -> Answer:
        """Ask what there is: any answer will do but a refused token."""
        answer = self._sent("GET", url, {})
        return self._accepted(answer) if answer.status in {401, 403} else answer

    # What the library has no method for

    def rows(
        self, endpoint: str, query: Mapping[str, object], read: Callable[[Any], Read]
    ) -> list[Read]:
        return self._read_all(self._build_url(endpoint), query, read)

    def read_list(self, endpoint: str, uuid: str, action: str) -> list[Any]:
        """A list that Waldur answers whole, without pages."""
        url = self._build_resource_url(endpoint, uuid, action)
        found = self._get(url, [200])
        if not isinstance(found, list):
            raise UnexpectedPayload(f"{self._transport.name('GET', url)} did not answer a list")
        return found

    def act(
        self, endpoint: str, uuid: str | None, action: str, said: Mapping[str, object]
    ) -> object:
        """POST an action of one thing, or of the whole endpoint."""
        path = f"{endpoint}/{uuid}" if uuid else endpoint
        return self._post(self._build_url(path, action), [200, 201], json=said)

    def create(self, endpoint: str, said: Mapping[str, object]) -> object:
        return self._create_resource(endpoint, said)

    def replace(self, endpoint: str, uuid: str, said: Mapping[str, object]) -> object:
        return self._update_resource(endpoint, uuid, said)

    # What the library calls

    def _make_request(
        self, method: str, url: str, valid_states: Collection[int], *_: object, **kwargs: Any
    ) -> Any:
        answer = self._accepted(self._sent(method.upper(), url, kwargs))
        if answer.status not in valid_states:
            raise UnexpectedPayload(f"{answer.request} answered {answer.status}")
        return decoded(answer) if answer.body else ""

    def _make_get_query(
        self, url: str, query_params: Mapping[str, object] | None, *_: object, **__: object
    ) -> dict[str, object]:
        found = self._get(url, [200], params=query_params)
        if not isinstance(found, dict):
            name = self._transport.name("GET", url)
            raise UnexpectedPayload(f"{name} did not answer one object")
        return found

    def _get_all(self, url: str, params: Mapping[str, object] | None = None) -> list[Any]:
        return self._read_all(url, params or {}, lambda row: row)

    def _read_all(
        self, url: str, params: Mapping[str, object], read: Callable[[Any], Read]
    ) -> list[Read]:
        def ask(query: Mapping[str, object]) -> Answer:
            return self._accepted(self._sent("GET", url, {"params": query}))

        return read_all(ask, {**params, "page_size": PAGE_SIZE}, read)

    # How it is sent

    def _sent(self, method: str, url: str, asked: Mapping[str, Any]) -> Answer:
        def send() -> Answer:
            return self._transport.send(
                method, url, params=asked.get("params"), json=asked.get("json")
            )

        may_repeat = method in READS or url.rstrip("/").rpartition("/")[2] in OVERWRITES
        answer = self._repeating(send) if may_repeat else send()
        self.server_date = answer.headers.get("Date", self.server_date)
        return answer

    def _repeating(self, send: Callable[[], Answer]) -> Answer:
        return Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(self._bounds.whole),
            wait=_pause,
            retry=retry_if_exception(_is_worth_repeating),
            reraise=True,
        )(send)

    def _accepted(self, answer: Answer) -> Answer:
        if is_route_missing(answer):
            self.lost_routes += 1
        if answer.status >= 300:
            said = brief(answer.body, self._token)
            raise WaldurRejected(answer.request, answer.status, said)
        return answer


def is_route_missing(answer: Answer) -> bool:
    """An unknown route answers 404 in HTML, a known one in JSON whatever it thinks of the rest."""
    is_json = "json" in answer.headers.get("Content-Type", "")
    return answer.status == HTTPStatus.NOT_FOUND and not is_json


_backoff = wait_random_exponential(multiplier=0.5, max=8)


def _pause(state: RetryCallState) -> float:
    """Jitter that grows, or what the server asked for where that is longer."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, NotNow) else None
    return max(_backoff(state), asked or 0.0)


def _is_worth_repeating(error: BaseException) -> bool:
    if isinstance(error, NotNow) and error.retry_after is not None:
        return error.retry_after <= PATIENCE_SECONDS
    return isinstance(error, WaldurUnreachable)
