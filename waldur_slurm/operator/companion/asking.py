"""The one job, asked of the gateway with the one job's token.

A gateway that is away, or has no time, is asked again until it answers; it is said once that it is.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from waldur_slurm.gateway.client import Gateway
from waldur_slurm.gateway.errors import (
    BeyondEnd,
    GatewayError,
    NotSignedIn,
    NotThere,
    NotTrusted,
    TryLater,
    WrongAsk,
)
from waldur_slurm.gateway.taking import Begun, NotThisFile, name_of
from waldur_slurm.gateway.wire import JobView
from waldur_slurm.operator.companion.errors import (
    Changing,
    CompanionError,
    Missing,
    TokenEnded,
    TryAnother,
)
from waldur_slurm.operator.companion.port import Into, JobNow, Listed, Piece, Stream, Version
from waldur_slurm.operator.model.order import TRUSTING, Order

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 20.0)
T = TypeVar("T")
Say = Callable[[str], None]


def open_gateway(order: Order, token: str, trust: bool | str) -> Gateway:
    """Without patience of its own: here it is waited, and told."""
    no_patience = timedelta(0)
    return Gateway(order.url, token, cluster=order.cluster, verify=trust, patience=no_patience)


class GatewaySource:
    """`port.Source`; `gateway` has no patience."""

    def __init__(
        self, gateway: Gateway, job_id: str, say: Say, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._gateway = gateway
        self._job_id = job_id
        self._say = say
        self._sleep = sleep

    def look(self) -> JobNow:
        return _now(self._ask(lambda: self._gateway.job(self._job_id)))

    def look_again(self, seconds: float) -> JobNow:
        within = timedelta(seconds=seconds)
        return _now(
            self._ask(lambda: self._gateway.look_again(self._job_id, within, until="terminal"))
        )

    def read_output(self, stream: Stream, offset: int) -> Piece:
        try:
            piece = self._ask(
                lambda: self._gateway.output(self._job_id, stream=stream, offset=offset)
            )
        except BeyondEnd:
            if not offset:
                raise
            return self.read_output(stream, 0)
        return Piece(piece.data, piece.next_offset, piece.is_complete)

    def list_files(self, pattern: str) -> Listed:
        found = self._ask(lambda: self._gateway.list_files(self._job_id, pattern))
        return Listed([name_of(each) for each in found.files], found.is_whole)

    def look_at(self, path: str | None) -> Version:
        facts = self._ask(
            lambda: (
                self._gateway.look_at_output(self._job_id)
                if path is None
                else self._gateway.look_at(self._job_id, path)
            )
        )
        return Version(facts.size, facts.tag if facts.can_go_on else "")

    def take(self, path: str | None, version: Version, into: Into) -> None:
        """Cut off, it is gone on with where it was."""
        while into.size < version.size:
            before = into.size
            self._ask(lambda: self._take(path, version, into))
            if into.size == before:
                raise Changing("the gateway sent nothing of it")

    def read_digest(self, path: str | None) -> str:
        if path is None:
            return ""
        return self._ask(lambda: self._gateway.digest_of(self._job_id, path)).sha256

    def _take(self, path: str | None, version: Version, into: Into) -> None:
        begun = Begun(into.size, version.tag)
        if path is None:
            self._gateway.take_output(self._job_id, into, begun)
        else:
            self._gateway.take(self._job_id, path, into, begun=begun)

    def _ask(self, question: Callable[[], T]) -> T:
        failures = 0
        while True:
            try:
                answer = question()
            except TryLater as error:
                if not failures:
                    self._say(f"{error}; waiting for the gateway")
                self._sleep(max(error.after_s, PAUSES_S[min(failures, len(PAUSES_S) - 1)]))
                failures += 1
            except GatewayError as error:
                raise _meant(error) from error
            else:
                if failures:
                    self._say("the gateway answers again")
                return answer


def _meant(error: GatewayError) -> Exception:
    match error:
        case BeyondEnd():
            return error
        case NotSignedIn():
            return TokenEnded(f"the token of this job is not valid any longer: {error}")
        case NotTrusted():  # another companion has what is trusted by then
            return TryAnother(f"{error}; {TRUSTING}")
        case NotThisFile():
            return Changing(str(error))
        case NotThere() | WrongAsk():
            return Missing(str(error))
        case _:
            return CompanionError(str(error))


def _now(view: JobView) -> JobNow:
    return JobNow(
        state=view.state.raw,
        is_over=view.terminal,
        is_well=view.outcome == "success",
        is_array=view.array is not None,
        stdout=view.stdout or "",
        stderr=view.stderr or "",
    )
