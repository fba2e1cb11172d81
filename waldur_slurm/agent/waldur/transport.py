"""One HTTP exchange with Waldur: bounded in time and size, and never with anybody else.

The token travels in an `Authorization` header that only requests to Waldur's own origin carry:
a redirect is followed for reads, on the same origin; everything else that is redirected, late, cut
off or answered with "not now" is `WaldurUnreachable`, and nothing may be concluded from it.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.waldur.deadline import WatchedAdapter, deadline

MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 3

PERSONAL = "w_"
"""How today's personal access tokens begin; Waldur takes these after `Bearer` only."""

READS = frozenset({"GET", "HEAD"})
FOREIGN: Mapping[type[Exception], type[WaldurUnreachable]] = {
    requests.RequestException: WaldurUnreachable,  # no connection, or no whole answer in time
    urllib3.exceptions.HTTPError: WaldurUnreachable,  # where requests does not wrap it in its own
    OSError: WaldurUnreachable,  # the socket
    ValueError: WaldurUnreachable,  # a redirect to no address, at which requests looks unasked
}
"""Which exceptions of the libraries become which of ours; any other is a mistake in the program."""

_NOT_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_UUID = re.compile(
    r"(?<=/)([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?=/)"
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an observer hears of a request; `status` is None where no answer came."""

    method: str
    route: str
    status: int | None
    seconds: float


Observer = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: `request` names what it answers, for people."""

    request: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class NotNow(WaldurUnreachable):
    """Waldur broke, or asked to be asked again, perhaps after some seconds."""

    def __init__(self, request: str, status: int, said: str, retry_after: float | None) -> None:
        super().__init__(f"{request} answered {status}: {said}")
        self.request = request
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds: to connect, between two bytes, and for the whole exchange."""

    connect: float = 5.0
    read: float = 15.0
    whole: float = 60.0


class Transport:
    """One pool of connections to one origin, for any number of threads."""

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        user_agent: str,
        bounds: Bounds,
        verify: bool,
        threads: int,
        observer: Observer,
    ) -> None:
        self._origin = _origin(urlsplit(api_url))
        self._root = urlsplit(api_url).path
        self._token = token
        self._bounds = bounds
        self._observer = observer
        self._session = requests.Session()
        self._session.verify = verify
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        # As requests' own `auth`, a .netrc on the host cannot put another one in its place.
        self._session.auth = _Token(token)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = WatchedAdapter(pool_connections=1, pool_maxsize=threads)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(self, method: str, url: str, *, params: object = None, json: object = None) -> Answer:
        """The whole answer with its status below 500, or `WaldurUnreachable`."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._exchange(method, url, params, json)
            if not 300 <= answer.status < 400:
                return answer
            url, params = self._redirected(answer, method, url), None
        raise WaldurUnreachable(f"{answer.request} is redirected in circles")

    def close(self) -> None:
        self._session.close()

    def name(self, method: str, url: str) -> str:
        """The request for people: no host, no query, no secret."""
        return f"{method} {urlsplit(url).path.removeprefix(self._root)}"

    def _exchange(self, method: str, url: str, params: object, json: object) -> Answer:
        request = self.name(method, url)
        status = None
        start = time.monotonic()
        try:
            answer = self._read(request, method, url, params, json)
            status = answer.status
        finally:
            route = _UUID.sub("{uuid}", request.partition(" ")[2])
            self._observer(Exchange(method, route, status, time.monotonic() - start))
        if answer.status in _NOT_NOW or answer.status >= 500:
            said = brief(answer.body, self._token)
            raise NotNow(request, answer.status, said, retry_after(answer.headers))
        return answer

    def _read(self, request: str, method: str, url: str, params: object, json: object) -> Answer:
        with deadline(self._bounds.whole) as until:
            try:
                response = self._session.request(
                    method,
                    url,
                    params=params,  # type: ignore[arg-type]  # as the library builds them
                    json=json,
                    timeout=(self._bounds.connect, self._bounds.read),
                    verify=self._session.verify,
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    body = _whole_body(request, response)
            except tuple(FOREIGN) as error:
                reason = f"took longer than {self._bounds.whole:g} s" if until.has_passed else ""
                raise ours(error)(f"{request}: {reason or self._reason(error)}") from error
            if until.has_passed:
                raise WaldurUnreachable(f"{request}: took longer than {self._bounds.whole:g} s")
        return Answer(request, response.status_code, response.headers, body)

    def _redirected(self, answer: Answer, method: str, url: str) -> str:
        asked = f"{answer.request} is redirected ({answer.status})"
        try:
            target = urljoin(url, answer.headers.get("Location", ""))
            elsewhere = urlsplit(target)
            origin = _origin(elsewhere)
        except ValueError as error:
            raise WaldurUnreachable(f"{asked} to what is no address") from error
        if origin != self._origin:
            host = brief(f"{elsewhere.scheme}://{elsewhere.hostname}".encode(), self._token)
            raise WaldurUnreachable(
                f"{asked} to {host}, which is not asked: "
                "let WALDUR_API_URL name the address that answers itself"
            )
        if method not in READS:
            raise WaldurUnreachable(f"{asked}; a write is not repeated at another address")
        return target

    def _reason(self, error: BaseException) -> str:
        """The innermost cause, without requests' wrappers and without the token."""
        cause = error.args[0] if error.args else error
        cause = getattr(cause, "reason", cause)
        text = str(cause).rpartition(": ")[2] if isinstance(cause, Exception) else str(cause)
        return f"{type(error).__name__}: {brief(text.encode(), self._token)}"


class _Token(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        scheme = "Bearer" if self._token.startswith(PERSONAL) else "token"
        request.headers["Authorization"] = f"{scheme} {self._token}"
        return request


def brief(body: bytes, token: str, length: int = 300) -> str:
    """What an error's body says, on one line and cut; HTML loses its tags."""
    whole = body[: 20 * length + len(token)].decode("utf-8", "replace")  # no part of the token
    text = re.sub(re.escape(token), "***", whole, flags=re.IGNORECASE)[: 20 * length]
    if text.lstrip()[:1] == "<":
        text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else f"{line[:length]}..."


def ours(error: Exception) -> type[WaldurUnreachable]:
    """What a library's exception is to the agent: the first row that it falls under."""
    return next(mine for theirs, mine in FOREIGN.items() if isinstance(error, theirs))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait; a date or nonsense is read as no wish."""
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _whole_body(request: str, response: requests.Response) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_content(64 * 1024):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise WaldurUnreachable(f"{request}: the answer is larger than {MAX_BODY_BYTES} bytes")
    return b"".join(chunks)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)
