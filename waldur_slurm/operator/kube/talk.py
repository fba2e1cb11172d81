"""One conversation with the API server: a request and its answer, or a watch line by line.

Written on what the project speaks HTTP with anyway: the clients there are hide the end of a quiet
watch, by which alone one knows that it was alive, and bound no read, so a cut line is never seen.
An instance belongs to one thread.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from waldur_slurm.operator.errors import (
    ChangedMeanwhile,
    Gone,
    Invalid,
    KubeError,
    NotAllowed,
    Silent,
)
from waldur_slurm.operator.kube.access import Access
from waldur_slurm.service.unanswered import cause_of

CONNECT_S, ANSWER_S = 5.0, 30.0

LIST_LIMIT = 500
"""Objects a page: a server that is asked for all at once holds them all at once."""

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


class Patch(StrEnum):
    """How a patch is meant."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"


class Talk:
    def __init__(self, access: Access) -> None:
        self._access = access
        self._token = access.token
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("https://", _Trusting(access))

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        return self._ask("GET", path, params=params)

    def list(
        self, path: str, only: Mapping[str, str] | None = None
    ) -> tuple[list[dict[str, Any]], str]:
        """Return all of a kind, and the version as of which they are all."""
        found: list[dict[str, Any]] = []
        params: dict[str, str | int] = {"limit": LIST_LIMIT, **(only or {})}
        while True:
            page = self.get(path, params)
            found += page.get("items") or []
            meta = page.get("metadata") or {}
            if not meta.get("continue"):
                return found, str(meta.get("resourceVersion", ""))
            params["continue"] = meta["continue"]

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask("POST", path, body=body)

    def patch(self, path: str, body: object, meant: Patch = Patch.MERGE) -> dict[str, Any]:
        return self._ask("PATCH", path, body=body, content_type=meant)

    def delete(self, path: str, body: Mapping[str, Any] | None = None) -> None:
        self._ask("DELETE", path, body=body)

    def watch(self, path: str, version: str, seconds: int) -> Iterator[dict[str, Any]]:
        """Yield what changes from that version on, until the server ends it after so many seconds.

        A server that says nothing for longer, not even that it ends, is not there any more.
        """
        params: dict[str, str | int] = {
            "watch": 1,
            "resourceVersion": version,
            "timeoutSeconds": seconds,
            "allowWatchBookmarks": "true",
        }
        with self._sent("GET", path, params=params, read_s=seconds + CONNECT_S) as response:
            try:
                for line in response.iter_lines(chunk_size=None):
                    if line:
                        yield _event(line)
            except requests.RequestException as error:
                raise Silent(f"the watch was cut: {cause_of(error)}") from error

    def _ask(self, method: str, path: str, **asked: Any) -> dict[str, Any]:
        with self._sent(method, path, **asked) as response:
            try:
                answer = response.json()
            except (requests.RequestException, ValueError) as error:
                raise Silent(f"the API server's answer was cut: {error}") from error
        return answer if isinstance(answer, dict) else {}

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        content_type: str = "application/json",
        read_s: float = ANSWER_S,
    ) -> Iterator[requests.Response]:
        """Send it, a second time where the token was replaced meanwhile."""
        for is_last in (False, True):
            try:
                response = self._session.request(
                    method,
                    self._access.server + path,
                    params=params,
                    data=None if body is None else json.dumps(body).encode(),
                    headers=self._headers(content_type, renewed=is_last),
                    timeout=(CONNECT_S, read_s),
                    stream=True,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise Silent(f"the API server did not answer: {cause_of(error)}") from error
            with response:
                if response.status_code == 401 and self._access.token_file and not is_last:
                    continue
                if response.status_code >= 300:
                    raise _refusal(response)
                yield response
                return

    def _headers(self, content_type: str, *, renewed: bool) -> dict[str, str]:
        file = self._access.token_file
        if file and (renewed or not self._token):
            try:
                self._token = file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise NotAllowed(f"the token {file} cannot be read: {error.strerror}") from error
        headers = {"Accept": "application/json", "Content-Type": content_type}
        return headers | ({"Authorization": f"Bearer {self._token}"} if self._token else {})


class _Trusting(HTTPAdapter):
    """Shows and trusts what the access says."""

    def __init__(self, access: Access) -> None:
        self._context = access.trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = dict(json.loads(line))
        found = dict(event["object"])
    except (ValueError, TypeError, LookupError) as error:
        raise Silent(f"the watch says what cannot be read: {error}") from error
    if event.get("type") == "ERROR":
        raise _meant(int(found.get("code", 500)), str(found.get("message", "")))
    return event


def _refusal(response: requests.Response) -> KubeError:
    try:
        told = response.json()
        message = str(told.get("message") or response.reason)
    except (requests.RequestException, ValueError, AttributeError):
        message = str(response.reason)
    return _meant(response.status_code, message)


def _meant(status: int, message: str) -> KubeError:
    match status:
        case 401 | 403:
            return NotAllowed(message)
        case 404 | 410:
            return Gone(message)
        case 409:
            return ChangedMeanwhile(message)
        case _ if status in _TRANSIENT:
            return Silent(f"the API server says {status}: {message}")
        case _:
            return Invalid(message)
