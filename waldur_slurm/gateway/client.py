"""The gateway for programs: hand a job in once, look it up, wait for it, take what it wrote.

What the gateway refuses is raised as the error that it is there (`waldur_slurm.gateway.errors`).
What may be asked again is asked again for as long as `patience` lasts; a job is handed in with a
key, so that asking twice never makes two. An instance belongs to one thread.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, TypeVar
from urllib.parse import quote

import msgspec
import requests

from waldur_slurm.gateway.errors import GatewayError, NotNow, TryLater
from waldur_slurm.gateway.talk import Talk
from waldur_slurm.gateway.wire import FileView, JobView, LookupAnswer, PlacedView

LONGEST_WAIT_S = 60
"""What one request may wait; the gateway's own bound."""

CHUNK = 128 * 1024

Until = Literal["terminal", "started", "change"]
Verb = Literal["hold", "release", "requeue", "requeuehold", "suspend", "resume"]
Stream = Literal["out", "err"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of what a job wrote; `is_complete`: the job is over, and there is no more."""

    data: bytes
    next_offset: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Guard:
    """Which job of that number is meant: the one submitted then, or the one with this mark."""

    submit_time: datetime | None = None
    mark: str = ""

    @property
    def headers(self) -> dict[str, str]:
        if self.submit_time is None:
            return {}
        return {"If-Match": f'"{self.submit_time.isoformat().replace("+00:00", "Z")}"'}

    @property
    def params(self) -> dict[str, str]:
        return {"mark": self.mark} if self.mark else {}


WHICHEVER = Guard()


class Gateway:
    """One cluster behind one gateway, as one holder of a token sees it."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        cluster: str = "",
        verify: bool | str = True,
        patience: timedelta = timedelta(minutes=2),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`verify` may be the path of a file with the certificates to trust."""
        below = f"/clusters/{_spelt(cluster)}" if cluster else ""
        self._talk = Talk(f"{url.rstrip('/')}/api/v1{below}", token, verify=verify)
        self._patience_s = patience.total_seconds()
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._talk.close()

    def submit(
        self,
        script: str,
        *,
        key: str,
        options: Mapping[str, str | int | bool] | None = None,
        environment: Mapping[str, str] | None = None,
        user: str = "",
        mark: str = "",
    ) -> PlacedView:
        """Hand a job in; the same key again, at any time, is the same job."""
        asked = {"options": options, "environment": environment, "user": user, "mark": mark}
        body = {"script": script, **{name: value for name, value in asked.items() if value}}
        headers = {"Idempotency-Key": key}
        return self._told(PlacedView, "POST", "/jobs", body=body, headers=headers)

    def job(self, job_id: str) -> JobView:
        return self._told(JobView, "GET", _path(job_id))

    def look_up(
        self, *, marks: Collection[str] = (), prefix: str = "", since: datetime | None = None
    ) -> LookupAnswer:
        """Tell of many jobs by their marks, in one reading: there, absent, or unknown."""
        body: dict[str, object] = {"prefix": prefix} if prefix else {"marks": [*marks]}
        if since:
            body["since"] = since
        return self._told(LookupAnswer, "POST", "/jobs/lookup", body=body)

    def wait(
        self, job_id: str, until: Until = "terminal", *, longest: timedelta | None = None
    ) -> JobView:
        """Return the job once it is so far, or as it is when `longest` is over."""
        first = self.job(job_id)
        end = None if longest is None else time.monotonic() + longest.total_seconds()
        now = first
        while not _is_reached(first, now, until):
            left = LONGEST_WAIT_S if end is None else int(end - time.monotonic())
            if left <= 0:
                break
            params = {"wait": min(left, LONGEST_WAIT_S), "until": until}
            now = self._told(JobView, "GET", _path(job_id), params=params)
        return now

    def cancel(self, job_id: str, *, only: Guard = WHICHEVER, signal: str = "") -> None:
        """End it, or send it a signal; that it is over already is no error."""
        params = only.params | ({"signal": signal} if signal else {})
        with self._asked("DELETE", _path(job_id), params=params, headers=only.headers):
            return

    def steer(self, verb: Verb, job_id: str, *, only: Guard = WHICHEVER) -> None:
        """Asked once: to requeue a second time would end a second run."""
        path = f"{_path(job_id)}/{verb}"
        with self._talk.ask("POST", path, params=only.params, headers=only.headers):
            return

    def output(
        self, job_id: str, *, stream: Stream = "out", offset: int = 0, wait_s: int = 0
    ) -> Output:
        """Take what it wrote from `offset` on; waits so long for there to be something."""
        return self._piece(job_id, {"stream": stream, "offset": offset, "wait": wait_s})

    def tail(self, job_id: str, size: int = 4096, *, stream: Stream = "out") -> Output:
        return self._piece(job_id, {"stream": stream, "tail": size})

    def follow(self, job_id: str, *, stream: Stream = "out") -> Iterator[bytes]:
        """Yield what it writes, until it is over and all of it was told."""
        piece = Output(b"", 0, is_complete=False)
        while not piece.is_complete:
            offset = piece.next_offset
            piece = self.output(job_id, stream=stream, offset=offset, wait_s=LONGEST_WAIT_S)
            if piece.data:
                yield piece.data

    def files(self, job_id: str, glob: str = "*") -> list[FileView]:
        """List the files of its folder, and neither links nor directories."""
        return self._told(list[FileView], "GET", f"{_path(job_id)}/files", params={"glob": glob})

    def take(self, job_id: str, path: str, into: BinaryIO) -> int:
        """Write a file of its folder to `into`; where it was cut off, go on from there.

        Raises `NotThisFile` where it changed meanwhile: what was written is of the former one.
        """
        size, tag = 0, ""
        while True:
            headers = {"Range": f"bytes={size}-", "If-Range": tag} if tag else {}
            asked = f"{_path(job_id)}/files/{quote(path)}"
            with self._asked("GET", asked, headers=headers, stream=True) as response:
                if tag and response.status_code != 206:
                    raise NotThisFile(f"{path} changed while it was taken")
                tag, before = response.headers.get("ETag", ""), size
                try:
                    for chunk in response.iter_content(CHUNK):
                        size += into.write(chunk)
                except requests.RequestException as error:
                    if not tag or size == before:
                        raise NotNow(f"{path} was cut off: {error}") from error
                    continue
            return size

    def _piece(self, job_id: str, params: Mapping[str, Any]) -> Output:
        with self._asked("GET", f"{_path(job_id)}/output", params=params) as response:
            return Output(
                response.content,
                int(response.headers["X-Next-Offset"]),
                response.headers["X-Complete"] == "true",
            )

    def _told(self, of: type[T], method: str, path: str, **asked: Any) -> T:
        with self._asked(method, path, **asked) as response:
            return msgspec.json.decode(response.content, type=of)

    def _asked(self, method: str, path: str, **asked: Any) -> requests.Response:
        """Ask until it is answered, or refused for good, or patience ends."""
        end, pause_s = time.monotonic() + self._patience_s, 0.0
        while True:
            try:
                return self._talk.ask(method, path, **asked)
            except TryLater as error:
                pause_s = max(error.after_s, min(2 * pause_s, 30.0))
                if time.monotonic() + pause_s > end:
                    raise
                self._sleep(pause_s)


class NotThisFile(GatewayError):
    """A file became another one while it was taken."""


def _path(job_id: str) -> str:
    return f"/jobs/{_spelt(job_id)}"


def _spelt(text: str) -> str:
    return quote(text, safe="+")


def _is_reached(first: JobView, now: JobView, until: Until) -> bool:
    if until == "terminal":
        return now.terminal
    if until == "started":
        return now.phase != "pending"
    return (first.state, first.nodes) != (now.state, now.nodes)
