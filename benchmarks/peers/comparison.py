"""This agent beside its peers: the same work, on sites of the same size, one after the other."""

from datetime import UTC, datetime

from benchmarks.peers import table
from benchmarks.peers.contestants import contestants
from benchmarks.peers.measuring import measure
from benchmarks.peers.outcome import CannotRun, Outcome
from benchmarks.peers.site import ACCOUNTS, invent_past
from benchmarks.rows import Row
from tests.places import PROJECT

RESULTS = PROJECT / ".cache" / "bench-peers.json"


def compare_with_peers() -> list[Row]:
    """Show and keep the comparison; return what this agent itself is held to in it."""
    past = invent_past(datetime.now(UTC))
    compared = [(one, measure(one, past)) for one in contestants(ACCOUNTS)]
    outcomes = [outcome for _, outcome in compared]
    table.show(outcomes)
    table.write(outcomes, RESULTS)
    return [_row(outcome) for contestant, outcome in compared if contestant.is_ours]


def _row(outcome: Outcome) -> Row:
    if outcome.usage is None:
        raise CannotRun(f"{outcome.name}: {outcome.trouble}")
    return Row(
        name=f"{outcome.name}: wrong figures of usage",
        unit="",
        samples=[outcome.usage.figures - outcome.usage.right],
        bound=0,
    )
