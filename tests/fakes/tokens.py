"""Tokens in memory, held to the real store by `tests/unit/gateway/store/test_tokens.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.doors.tokens import Changed, Token


@dataclass
class FakeTokens:
    """A `Tokens`; `broken` is why none of it works. `reads` counts."""

    tokens: dict[str, tuple[int, Token]] = field(default_factory=dict)
    broken: str = ""
    cannot_forget: str = ""
    reads: int = 0

    def since(self, generation: int) -> Changed:
        self._demand()
        self.reads += 1
        changed = sorted(
            (number, token.id, token)
            for number, token in self.tokens.values()
            if number > generation
        )
        last = changed[-1][0] if changed else generation
        return Changed(last, tuple(token for *_, token in changed))

    def add(self, token: Token) -> None:
        self._demand()
        if token.id in self.tokens:
            raise AssertionError("this id is taken")
        self.tokens[token.id] = (self._next(), token)

    def end(self, token_id: str, at: datetime) -> bool:
        self._demand()
        if token_id not in self.tokens:
            return False
        _, token = self.tokens[token_id]
        ends = min(token.ends or at, at)
        self.tokens[token_id] = (self._next(), replace(token, ends=ends))
        return True

    def revoke(self, token_id: str, at: datetime) -> bool:
        if not self.end(token_id, at):
            return False
        _, token = self.tokens[token_id]
        self.tokens[token_id] = (self._next(), replace(token, is_revoked=True))
        return True

    def forget(self, before: datetime, jobs_before: datetime) -> tuple[str, ...]:
        if self.cannot_forget:
            raise StateError(self.cannot_forget)
        last = self._next() - 1
        over = sorted(
            token.id
            for number, token in self.tokens.values()
            if token.ends is not None
            if token.ends < (jobs_before if token.job else before) and number < last
        )
        for token_id in over:
            del self.tokens[token_id]
        return tuple(over)

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        self._demand()
        for token_id, at in uses.items():
            if token_id in self.tokens:
                number, token = self.tokens[token_id]
                last = max(token.last_used or at, at)
                self.tokens[token_id] = (number, replace(token, last_used=last))

    def _next(self) -> int:
        return max((number for number, _ in self.tokens.values()), default=0) + 1

    def _demand(self) -> None:
        if self.broken:
            raise StateError(self.broken)
