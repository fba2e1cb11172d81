"""A batch that is taken whole or refused whole, halved until the refused rows are known."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice

from waldur_slurm.agent.errors import WaldurRejected

BATCH = 100
"""Waldur asks its database a few times for each row, and has 15 seconds."""


def taken_apart(
    tell: Callable[[Mapping[str, Decimal]], None], amounts: Mapping[str, Decimal]
) -> dict[str, str]:
    """Tell all amounts; the answer names who was refused, and why. Only a 400 is about rows."""
    refused: dict[str, str] = {}
    waiting = [dict(batch) for batch in _batches(amounts)]
    while waiting:
        batch = waiting.pop(0)
        try:
            tell(batch)
        except WaldurRejected as error:
            if error.status != 400:
                raise
            if len(batch) == 1:
                refused |= dict.fromkeys(batch, error.said)
            else:
                waiting[:0] = _halves(batch)
    return refused


def _batches(amounts: Mapping[str, Decimal]) -> list[dict[str, Decimal]]:
    rows = iter(sorted(amounts.items()))
    return [batch for _ in range(0, len(amounts), BATCH) if (batch := dict(islice(rows, BATCH)))]


def _halves(batch: Mapping[str, Decimal]) -> list[dict[str, Decimal]]:
    rows = list(batch.items())
    middle = len(rows) // 2
    return [dict(rows[:middle]), dict(rows[middle:])]
