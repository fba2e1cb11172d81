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
from typing import Any, Literal, Self
from urllib.parse import quote

from waldur_slurm.gateway.errands import Errands
from waldur_slurm.gateway.errors import BeyondEnd
from waldur_slurm.gateway.paging import Asked, pages
from waldur_slurm.gateway.patience import Patient
from waldur_slurm.gateway.taking import (
    NOT_BEGUN,
    Begun,
    FileFacts,
    Into,
    ListedFiles,
    address_of,
    address_of_output,
    digest_of_file,
    list_files,
    look_at_file,
    look_at_output,
    take_file,
)
from waldur_slurm.gateway.talk import SILENCE, Talk
from waldur_slurm.gateway.wire import (
    DigestView,
    FileView,
    JobView,
    LookupAnswer,
    PlacedView,
    ReasonAnswer,
    StartView,
)
from waldur_slurm.gateway.wire_cluster import (
    ClustersAnswer,
    ClusterView,
    HistoryAnswer,
    JobsAnswer,
    JobTokenView,
    MeView,
    NodesAnswer,
    UsageAnswer,
)

LONGEST_WAIT_S = 60
"""What one request may wait; the gateway's own bound."""

Until = Literal["terminal", "started", "change"]
Verb = Literal["hold", "release", "requeue", "requeuehold", "suspend", "resume"]
Stream = Literal["out", "err"]


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
        silence: timedelta = SILENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`verify` may be the path of a file with the certificates to trust.

        One request is given up where nothing comes for as long as `silence`; asked again is what is
        answered with "later", or not at all, for as long as `patience`.
        """
        below = f"/clusters/{_spelt(cluster)}" if cluster else ""
        self._talk = Talk(f"{url.rstrip('/')}/api/v1", token, verify=verify, silence=silence)
        self._asker = Patient(self._talk, below, patience.total_seconds(), sleep)

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
        return self._asker.told(PlacedView, "POST", "/jobs", body=body, headers=headers)

    def try_out(
        self, script: str, *, options: Mapping[str, str | int | bool] | None = None, user: str = ""
    ) -> StartView:
        """Ask Slurm whether it would take a job, and when it would start; nothing is handed in."""
        body = {"script": script, "options": options or {}, "user": user}
        return self._asker.told(StartView, "POST", "/jobs", params={"dry_run": "true"}, body=body)

    def job(self, job_id: str, *, efficiency: bool = False) -> JobView:
        """Return it as it is; `efficiency`: of an ended one, what it used of what it held."""
        params = {"efficiency": "true"} if efficiency else {}
        return self._asker.told(JobView, "GET", _path(job_id), params=params)

    def reason(self, job_id: str) -> ReasonAnswer:
        """Tell why it waits, what can be done, and when it may start."""
        return self._asker.told(ReasonAnswer, "GET", f"{_path(job_id)}/reason")

    def jobs(self, **narrowed: Asked) -> Iterator[JobView]:
        """Yield the jobs that slurmctld knows: `jobs(user="ann", state="PENDING")`."""
        return (job for page in self.job_pages(**narrowed) for job in page.jobs)

    def job_pages(self, **narrowed: Asked) -> Iterator[JobsAnswer]:
        """Yield them with what is said of all; `limit` is how many a page has."""
        return pages(self._asker, JobsAnswer, "/jobs", narrowed)

    def history(self, **narrowed: Asked) -> Iterator[JobView]:
        """Yield jobs of the accounting, the newest first: `history(since=..., state="FAILED")`."""
        return (job for page in self.history_pages(**narrowed) for job in page.jobs)

    def history_pages(self, **narrowed: Asked) -> Iterator[HistoryAnswer]:
        return pages(self._asker, HistoryAnswer, "/history", narrowed)

    def clusters(self) -> tuple[ClusterView, ...]:
        """Tell of each whether its Slurm answers, and what is true of it; the default one first."""
        return self._asker.of_all.told(ClustersAnswer, "GET", "/clusters").clusters

    def nodes(self) -> NodesAnswer:
        return self._asker.told(NodesAnswer, "GET", "/nodes")

    def usage(self) -> UsageAnswer:
        """Tell what the jobs of each partition hold of each of its nodes."""
        return self._asker.told(UsageAnswer, "GET", "/usage")

    def me(self) -> MeView:
        """Tell who this is to the gateway, and what he may do."""
        return self._asker.of_all.told(MeView, "GET", "/me")

    @property
    def errands(self) -> Errands:
        """Monitors, letters and tasks."""
        return Errands(self._asker)

    def look_up(
        self, *, marks: Collection[str] = (), prefix: str = "", since: datetime | None = None
    ) -> LookupAnswer:
        """Tell of many jobs by their marks, in one reading: there, absent, or unknown."""
        body: dict[str, object] = {"prefix": prefix} if prefix else {"marks": [*marks]}
        if since:
            body["since"] = since
        return self._asker.told(LookupAnswer, "POST", "/jobs/lookup", body=body)

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
            now = self.look_again(job_id, timedelta(seconds=left), until=until)
        return now

    def look_again(self, job_id: str, within: timedelta, *, until: Until = "change") -> JobView:
        """Return it as soon as it is so far; as it is, where it is not within a minute at most."""
        seconds = max(min(int(within.total_seconds()), LONGEST_WAIT_S), 1)
        params = {"wait": seconds, "until": until}
        return self._asker.told(JobView, "GET", _path(job_id), params=params)

    def changes(self, job_id: str) -> Iterator[JobView]:
        """Yield it as it is, and again whenever it has changed, until it is over."""
        now = self.job(job_id)
        yield now
        while not now.terminal:
            following = self.look_again(job_id, timedelta(seconds=LONGEST_WAIT_S))
            if _is_reached(now, following, "change"):
                yield following
            now = following

    def cancel(self, job_id: str, *, only: Guard = WHICHEVER, signal: str = "") -> None:
        """End it, or send it a signal; that it is over already is no error."""
        params = only.params | ({"signal": signal} if signal else {})
        with self._asker.ask("DELETE", _path(job_id), params=params, headers=only.headers):
            return

    def steer(self, verb: Verb, job_id: str, *, only: Guard = WHICHEVER) -> None:
        """Asked once: to requeue a second time would end a second run."""
        path = f"{_path(job_id)}/{verb}"
        with self._asker.ask_once("POST", path, params=only.params, headers=only.headers):
            return

    def output(
        self, job_id: str, *, stream: Stream = "out", offset: int = 0, wait_s: int = 0
    ) -> Output:
        """Take what it wrote from `offset` on; waits so long for there to be something."""
        return self._piece(job_id, {"stream": stream, "offset": offset, "wait": wait_s})

    def tail(self, job_id: str, size: int = 4096, *, stream: Stream = "out") -> Output:
        return self._piece(job_id, {"stream": stream, "tail": size})

    def follow(self, job_id: str, *, stream: Stream = "out", offset: int = 0) -> Iterator[bytes]:
        """Yield what it writes as it comes, from `offset` on, until it is over and all was told.

        A job that is requeued begins its output anew, and so does this.
        """
        is_complete = False
        while not is_complete:
            try:
                piece = self.output(job_id, stream=stream, offset=offset, wait_s=LONGEST_WAIT_S)
            except BeyondEnd:
                if not offset:
                    raise
                offset = 0
                continue
            offset, is_complete = piece.next_offset, piece.is_complete
            if piece.data:
                yield piece.data

    def files(self, job_id: str, glob: str = "*") -> list[FileView]:
        """List the files of its folder, and neither links nor directories."""
        return self.list_files(job_id, glob).files

    def list_files(self, job_id: str, glob: str = "*") -> ListedFiles:
        """List them, and tell whether there are more than a gateway lists."""
        return list_files(self._asker, _path(job_id), glob)

    def look_at(self, job_id: str, path: str) -> FileFacts:
        return look_at_file(self._asker, address_of(_path(job_id), path))

    def take(self, job_id: str, path: str, into: Into, *, begun: Begun = NOT_BEGUN) -> int:
        """Write a file of its folder to `into`; where it was cut off, go on from there.

        `begun` goes on where an earlier one left off. Returns the size of all of it. Raises
        `NotThisFile` where it changed meanwhile: what was written is of the former one.
        """
        return take_file(self._asker, address_of(_path(job_id), path), into, begun)

    def digest_of(self, job_id: str, path: str) -> DigestView:
        """Tell its SHA-256 as the gateway finds it, which may take as long as to read it."""
        return digest_of_file(self._asker, address_of(_path(job_id), path))

    def look_at_output(self, job_id: str, *, stream: Stream = "out") -> FileFacts:
        """Look at what it wrote as at a file, wherever that lies; one that is empty has no tag."""
        return look_at_output(self._asker, address_of_output(_path(job_id), stream))

    def take_output(self, job_id: str, into: Into, begun: Begun, *, stream: Stream = "out") -> int:
        """Write all that it wrote, as `take` does; `begun` has the tag that was looked at."""
        return take_file(self._asker, address_of_output(_path(job_id), stream), into, begun)

    def token_for(
        self, job_id: str, scopes: Collection[str], lasts: timedelta = timedelta(days=1)
    ) -> JobTokenView:
        """Make a token that reads this one job's output or files, and does nothing else."""
        body = {"scopes": [*scopes], "ttl": int(lasts.total_seconds())}
        return self._asker.told_once(JobTokenView, "POST", f"{_path(job_id)}/tokens", body=body)

    def _piece(self, job_id: str, params: Mapping[str, Any]) -> Output:
        with self._asker.ask("GET", f"{_path(job_id)}/output", params=params) as response:
            return Output(
                response.content,
                int(response.headers["X-Next-Offset"]),
                response.headers["X-Complete"] == "true",
            )


def _path(job_id: str) -> str:
    return f"/jobs/{_spelt(job_id)}"


def _spelt(text: str) -> str:
    return quote(text, safe="+")


def _is_reached(first: JobView, now: JobView, until: Until) -> bool:
    if until == "terminal":
        return now.terminal
    if until == "started":
        return now.phase != "pending"
    return now.terminal or (first.state, first.nodes) != (now.state, now.nodes)
