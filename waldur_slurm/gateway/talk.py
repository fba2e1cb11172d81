"""One request to a gateway, and what came of it: an answer, or one of the gateway's errors."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import requests
from requests.auth import AuthBase

from waldur_slurm.gateway.errors import (
    BeyondEnd,
    GatewayError,
    NotNow,
    NotTrusted,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from waldur_slurm.service.unanswered import cause_of

PROBLEM = "urn:slurm-gateway:problem:"
CONNECT_S = 5.0
SILENCE = timedelta(seconds=90)
"""How long nothing may come; the gateway answers a wait within 60 s."""

MOST_WORDS = 300
AGAIN_S = 1.0


class Talk:
    """`root` is what all paths are below."""

    def __init__(
        self, root: str, token: str, *, verify: bool | str, silence: timedelta = SILENCE
    ) -> None:
        self._root = root
        self._silence_s = silence.total_seconds()
        self._session = requests.Session()
        self._session.verify = verify
        self._session.auth = _Token(token)

    def close(self) -> None:
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        stream: bool = False,
    ) -> requests.Response:
        """Return the answer; raises what the gateway refused, or `NotNow`, or `OutcomeUnknown`."""
        content = None if body is None else msgspec.json.encode(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._session.request(
                method,
                f"{self._root}{path}",
                params=params,
                data=content,
                headers={**kind, **(headers or {})},
                timeout=(CONNECT_S, self._silence_s),
                allow_redirects=False,
                stream=stream,
                verify=self._session.verify,
            )
        except requests.RequestException as error:
            raise _unanswered(method, error) from error
        if response.status_code < 300:
            return response
        with response:
            raise _refusal(response)


def _unanswered(method: str, error: requests.RequestException) -> GatewayError:
    """Tell what was never asked from what may have been done."""
    if isinstance(error, requests.exceptions.SSLError):
        return NotTrusted(f"the gateway's certificate is not trusted: {cause_of(error)}")
    words = f"the gateway does not answer: {cause_of(error)}"
    if method == "GET" or isinstance(error, requests.ConnectTimeout) or _is_refused(error):
        return NotNow(words, AGAIN_S)
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return OutcomeUnknown(words, AGAIN_S)
    return GatewayError(f"the gateway cannot be asked: {error}")


def _is_refused(error: BaseException) -> bool:
    """Whether no connection was made at all."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def _refusal(response: requests.Response) -> GatewayError:
    """Make of a problem the error that it was at the gateway."""
    try:
        said = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        said = {}
    words = str(said.get("detail") or response.text[:MOST_WORDS] or response.reason)
    kind = _kinds().get(str(said.get("type", "")).removeprefix(PROBLEM))
    if kind is None:
        return _of_another(response, words)
    if issubclass(kind, TryLater):
        return kind(words, _after_s(response))
    if kind is Refused:
        return Refused(words, str(said.get("refusal", "other")), said.get("limit"))
    if kind is BeyondEnd:
        return BeyondEnd(words, _size_of(response))
    return kind(words)


def _of_another(response: requests.Response, words: str) -> GatewayError:
    """What stands before a gateway says no in words of its own."""
    told = f"{response.status_code} {words}"
    if response.status_code in (502, 503):
        return NotNow(told, _after_s(response))
    if response.status_code == 504:
        return OutcomeUnknown(told, _after_s(response))
    return GatewayError(told)


def _kinds() -> dict[str, type[GatewayError]]:
    return {kind.kind: kind for kind in _below(GatewayError)}


def _below(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for each in kind.__subclasses__():
        if "kind" in vars(each):
            yield each
        yield from _below(each)


def _size_of(response: requests.Response) -> int:
    """Read how long it is of `bytes */1234`."""
    size = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(size) if size.isascii() and size.isdecimal() else 0


def _after_s(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() else AGAIN_S


class _Token(AuthBase):
    """As requests' own `auth`, so that a .netrc cannot put another in its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request
