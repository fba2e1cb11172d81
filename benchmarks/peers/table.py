"""The agents side by side, for people as tables and for programs as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.peers.outcome import Outcome, Work
from benchmarks.peers.site import ACCOUNTS, JOBS, PEOPLE
from benchmarks.peers.usage import Correctness

WITHOUT_TERMINAL = 150
NOTHING = "not measured"
SITE = f"{ACCOUNTS} allocations x {len(PEOPLE)} people, {JOBS:,} jobs"


def show(outcomes: Sequence[Outcome]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WITHOUT_TERMINAL
    console.print(_costs(outcomes), *_remarks(outcomes), _usage(outcomes), sep="\n")


def write(outcomes: Sequence[Outcome], file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    document = {
        "at": datetime.now(UTC).isoformat(),
        "site": SITE,
        "agents": [asdict(outcome) for outcome in outcomes],
    }
    file.write_text(json.dumps(document, indent=2) + "\n")


def _costs(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title=f"Beside the agent's peers: {SITE}")
    for heading in ("work", "agent", "measured on"):
        table.add_column(heading, no_wrap=True)
    headings = ("wall", "x ours", "own CPU", "clients' CPU", "processes", "requests", "peak")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for work in Work:
        for outcome in outcomes:
            table.add_row(work, outcome.name, *_cost_cells(outcome, outcomes[0], work))
        table.add_section()
    return table


def _cost_cells(outcome: Outcome, ours: Outcome, work: Work) -> tuple[str, ...]:
    cost = outcome.costs.get(work)
    if cost is None:
        return (NOTHING,)
    least = ours.costs.get(work)
    is_sample = outcome.measured_on < ACCOUNTS
    return (
        f"{outcome.measured_on} of {ACCOUNTS} *" if is_sample else f"all {ACCOUNTS}",
        f"{cost.seconds:.2f} s",
        f"{cost.seconds / least.seconds:.1f}" if least else "",
        f"{cost.cpu_seconds:.2f} s",
        f"{cost.client_cpu_seconds:.2f} s",
        f"{cost.processes:.0f}",
        f"{cost.requests:.0f}",
        f"{cost.megabytes:.0f} MB",
    )


def _remarks(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield (
        f"* measured on an empty offering and on so many allocations, and carried on to {ACCOUNTS}"
        " in a straight line; but for the memory, which is as measured"
    )
    for outcome in outcomes:
        if outcome.trouble:
            yield f"{outcome.name} could not be measured: {outcome.trouble}"


def _usage(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title="Usage of this month in Waldur, against what the jobs came to")
    table.add_column("agent", no_wrap=True)
    headings = ("figures right", "not reported", "right by what jobs asked for")
    for heading in (*headings, "reported, of what was used"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        table.add_row(outcome.name, *_usage_cells(outcome))
    return table


def _usage_cells(outcome: Outcome) -> tuple[str, ...]:
    found, asked = outcome.usage, outcome.usage_as_requested
    if found is None or asked is None:
        return (NOTHING,)
    parts = ", ".join(f"{tres} {part:.2%}" for tres, part in found.reported_part.items())
    return (_part(found), f"{found.missing}", _part(asked), parts)


def _part(verdict: Correctness) -> str:
    return f"{verdict.right} of {verdict.figures}"
