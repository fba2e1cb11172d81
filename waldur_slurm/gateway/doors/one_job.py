"""Tokens for one job alone: who may read its output hands such a one to a program. Blocks.

It holds nothing that is worth stealing: no more than who made it may himself, on this job, for a
while.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from waldur_slurm.gateway.doors.decide import No, decide
from waldur_slurm.gateway.doors.principals import OneJob, Principal, RunAs
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import Minted, Tokens, mint
from waldur_slurm.gateway.errors import Denied
from waldur_slurm.model.names import UserName

SCOPES = (Scope.OUTPUT_READ, Scope.FILES_READ, Scope.JOBS_READ)
"""What such a token can be for."""


class JobTokens:
    """`read_secret` is the secret that tokens are kept under; `now` the time of day."""

    def __init__(
        self, tokens: Tokens, read_secret: Callable[[], bytes], now: Callable[[], datetime]
    ) -> None:
        self._tokens = tokens
        self._read_secret = read_secret
        self._now = now

    def make(
        self,
        maker: Principal,
        job: OneJob,
        owner: UserName,
        scopes: Collection[Scope],
        lasts: timedelta,
    ) -> Minted:
        """Make one; raises `Denied` for what its maker may not himself, and `StateError`."""
        for scope in scopes:
            answer = decide(maker, scope)
            if isinstance(answer, No):
                raise Denied(answer.why)
        now = self._now().replace(microsecond=0)
        minted = mint(
            self._read_secret(),
            name=f"job {job}, by {maker}",
            scopes=frozenset(scopes),
            run_as=RunAs(frozenset({owner})),
            made=now,
            ends=now + lasts,
            job=job,
        )
        self._tokens.add(minted.token)
        return minted
