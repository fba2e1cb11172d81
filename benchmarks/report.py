"""What was measured, for people as a table and for programs as JSON."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row, Verdict

STYLES = {Verdict.MET: "green", Verdict.MISSED: "bold red", Verdict.NO_BOUND: "dim"}
WITHOUT_TERMINAL = 110


def show(rows: Sequence[Row]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WITHOUT_TERMINAL
    table = Table()
    table.add_column("row")
    for heading in ("figure", "bound", "floor", "ratio"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for row in rows:
        style = STYLES[row.verdict]
        table.add_row(*_cells(row), f"[{style}]{row.verdict}[/{style}]")
    console.print(table)


def markdown(rows: Sequence[Row]) -> str:
    lines = ["| row | figure | bound | floor | ratio | verdict |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | --- |")
    for row in rows:
        verdict = f"**{row.verdict}**" if row.verdict is Verdict.MISSED else str(row.verdict)
        lines.append(f"| {' | '.join((*_cells(row), verdict))} |".replace("|  |", "| |"))
    return "".join(f"{line}\n" for line in lines)


def write(rows: Sequence[Row], file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    document = {
        "at": datetime.now(UTC).isoformat(),
        "load_average": os.getloadavg(),
        "rows": [_record(row) for row in rows],
    }
    file.write_text(json.dumps(document, indent=2) + "\n")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        _amount(row.figure, row.unit),
        _bound(row),
        _amount(row.floor_figure, row.unit),
        "" if row.ratio is None else f"{row.ratio:.3f}",
    )


def _bound(row: Row) -> str:
    if row.bound is None:
        return ""
    return f"{row.bound:g} x floor" if row.floor else _amount(row.bound, row.unit)


def _amount(number: float | None, unit: str) -> str:
    if number is None:
        return ""
    exact = f"{number:.3f}" if unit == "s" else f"{number:.1f}" if unit == "MB" else f"{number:g}"
    return f"{exact} {unit}".rstrip()


def _record(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "unit": row.unit,
        "figure": row.figure,
        "bound": row.bound,
        "floor": row.floor_figure,
        "ratio": row.ratio,
        "verdict": row.verdict,
        "samples": list(row.samples),
        "floor_samples": list(row.floor),
    }
