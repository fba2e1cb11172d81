"""`Jobs` through a gateway.

A turn of a cycle must not wait for long: what may be asked again is asked again for a few seconds,
and then left to the next turn. A job is handed in with its key, so that asking twice, by whomever,
never makes two. An instance belongs to one thread.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waldur_slurm.gateway.client import Gateway, Guard, Verb
from waldur_slurm.gateway.errors import (
    Denied,
    GatewayError,
    NotThere,
    NotThisJob,
    NotTrusted,
    OtherBody,
    OutcomeUnknown,
    TooLarge,
    WrongAsk,
)
from waldur_slurm.gateway.errors import Refused as SlurmRefused
from waldur_slurm.operator.check.facts import TokenFacts
from waldur_slurm.operator.jobs import port
from waldur_slurm.operator.jobs.port import ClusterFacts, Found, JobRef, Stream, Wanted
from waldur_slurm.operator.model.order import TRUSTING
from waldur_slurm.operator.ways.gateway_views import facts_of, found_of, token_facts_of
from waldur_slurm.operator.ways.together import together

PATIENCE = timedelta(seconds=3)
"""For how long one thing is asked again within a turn; what takes longer is for the next one."""

SILENCE = timedelta(seconds=45)
"""How long nothing may come: a gateway says within 30 s that the accounting is too slow."""

MOST_MARKS = 1000
"""How many jobs are looked up by one request."""

READ_SCOPES = ("files:read", "output:read", "jobs:read")
FINAL = (SlurmRefused, Denied, WrongAsk, TooLarge)
SHORTEST_TOKEN, LONGEST_TOKEN = timedelta(minutes=1), timedelta(days=7)

Open = Callable[[str, bool | str], Gateway]
"""Makes a client that shows this token, and trusts the system's certificates or those of a file."""


def gateway_at(url: str) -> Open:
    """Return what opens a gateway as a cycle needs it."""

    def opens(token: str, verify: bool | str) -> Gateway:
        return Gateway(url, token, verify=verify, patience=PATIENCE, silence=SILENCE)

    return opens


class GatewayJobs:
    """One cluster's `Jobs`. The token is read anew whenever it is needed: Secrets are rotated.

    So it is with `trust`, the certificates besides it: there may be such a file, or none.
    """

    def __init__(self, opens: Open, token: Path | None, trust: Path | None = None) -> None:
        self._opens = opens
        self._token = token
        self._trust = trust
        self._opened: tuple[tuple[str, bool | str], Gateway] | None = None

    def close(self) -> None:
        if self._opened:
            self._opened[1].close()
            self._opened = None

    def read_facts(self) -> ClusterFacts:
        with _reading():
            default = next(iter(self._gateway().clusters()), None)
        if default is None or not default.reachable:
            raise port.Unreached(default.said if default else "the gateway has no cluster")
        return facts_of(default)

    def read_token_facts(self) -> TokenFacts:
        with _reading():
            return token_facts_of(self._gateway().me())

    def submit(self, wanted: Wanted) -> JobRef:
        """A wrong address, or token, is for the administrator to mend; no job fails of it."""
        with _doing():
            try:
                placed = self._gateway().submit(
                    wanted.script,
                    key=wanted.key,
                    options=wanted.options,
                    user=wanted.user,
                    mark=wanted.mark,
                )
            except NotThere as error:
                raise port.Unreached(str(error)) from error
            except Denied as error:
                raise port.NotAllowed(str(error)) from error
        return JobRef(placed.job_id, placed.submit_time, wanted.mark, wanted.user)

    def look_up(self, marks: Collection[str], since: datetime | None = None) -> Found:
        ordered = sorted(marks)
        if not ordered:
            return Found(datetime.now(UTC), {}, frozenset(), frozenset())
        parts = [ordered[at : at + MOST_MARKS] for at in range(0, len(ordered), MOST_MARKS)]
        return together([self._look_up(part, since) for part in parts])

    def _look_up(self, marks: Collection[str], since: datetime | None) -> Found:
        asked = datetime.now(UTC)
        try:
            with _reading():
                return found_of(self._gateway().look_up(marks=marks, since=since))
        except port.Unreached as silence:
            return Found(asked, {}, frozenset(), frozenset(marks), str(silence))

    def list_marked(self, prefix: str) -> Found:
        """Those that have not ended are all in the queue, so the accounting tells nothing more."""
        with _reading():
            found = found_of(self._gateway().look_up(prefix=prefix, since=datetime.now(UTC)))
        alive = {mark: job for mark, job in found.jobs.items() if not job.state.is_terminal}
        return Found(found.as_of, alive, frozenset(), found.unknown, found.said)

    def cancel(self, job: JobRef) -> None:
        with _doing():
            try:
                self._gateway().cancel(job.job_id, only=_guard(job))
            except NotThere:
                return

    def hold(self, job: JobRef) -> None:
        self._steer("hold", job)

    def release(self, job: JobRef) -> None:
        self._steer("release", job)

    def requeue_held(self, job: JobRef) -> None:
        self._steer("requeuehold", job)

    def _steer(self, verb: Verb, job: JobRef) -> None:
        with _doing():
            self._gateway().steer(verb, job.job_id, only=_guard(job))

    def read_tail(self, job: JobRef, stream: Stream, size: int) -> bytes:
        with _reading():
            return self._gateway().tail(job.job_id, size, stream=stream).data

    def make_token(self, job: JobRef, lifetime: timedelta) -> str:
        """The gateway takes the newest job of that number, which may be another one."""
        lasts = min(max(lifetime, SHORTEST_TOKEN), LONGEST_TOKEN)
        with _doing():
            made = self._gateway().token_for(job.job_id, READ_SCOPES, lasts)
        if job.submitted not in (None, made.submit_time):
            raise port.AnotherJob(f"job {made.job_id} was submitted at {made.submit_time}")
        return made.token

    def _gateway(self) -> Gateway:
        file = self._trust
        shown = self._read_token(), str(file) if file and file.exists() else True
        if self._opened is None or self._opened[0] != shown:
            self.close()
            self._opened = (shown, self._opens(*shown))
        return self._opened[1]

    def _read_token(self) -> str:
        if self._token is None:
            return ""
        try:
            return self._token.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            what = f"the file of the gateway's token cannot be read: {self._token}: {why}"
            raise port.Unreached(what) from error


def _guard(job: JobRef) -> Guard:
    return Guard(job.submitted, job.mark)


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever happens to what only reads, nothing was done, and it may be asked again."""
    try:
        yield
    except (*FINAL, NotThere) as error:
        raise port.Refused(str(error)) from error
    except GatewayError as error:
        raise _unreached(error) from error


@contextmanager
def _doing() -> Iterator[None]:
    """A key that stands for another request stands for a job: which one, a look will tell."""
    try:
        yield
    except (*FINAL, NotThere) as error:
        raise port.Refused(str(error)) from error
    except NotThisJob as error:
        raise port.AnotherJob(str(error)) from error
    except (OutcomeUnknown, OtherBody) as error:
        raise port.OutcomeUnknown(str(error)) from error
    except GatewayError as error:
        if type(error) is GatewayError:  # it failed, or what answered was no gateway
            raise port.OutcomeUnknown(str(error)) from error
        raise _unreached(error) from error


def _unreached(error: GatewayError) -> port.Unreached:
    said = f"{error}; {TRUSTING}" if isinstance(error, NotTrusted) else str(error)
    return port.Unreached(said)
