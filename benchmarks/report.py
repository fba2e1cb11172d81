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


DIGITS = {
    "s": ".3f",
    "MB": ".1f",
    "kB": ".1f",
    "ms": ".1f",
    "us": ".1f",
    "/s": ".0f",
    "MB/s": ".0f",
}
NO_REASON = "not known yet"


def show(rows: Sequence[Row], words: Sequence[str] = ()) -> None:
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
    for line in (*reasons(rows), *words):
        console.print(line, markup=False)


def markdown(rows: Sequence[Row]) -> str:
    lines = ["| row | figure | bound | floor | ratio | verdict |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | --- |")
    for row in rows:
        verdict = f"**{row.verdict}**" if row.verdict is Verdict.MISSED else str(row.verdict)
        cells = (f" {cell} " if cell else " " for cell in (*_cells(row), verdict))
        lines.append(f"|{'|'.join(cells)}|")
    if missed := reasons(rows):
        lines += ["", *missed]
    return "".join(f"{line}\n" for line in lines)


def reasons(rows: Sequence[Row]) -> list[str]:
    """Say of each row that is missed why."""
    missed = [row for row in rows if row.verdict is Verdict.MISSED]
    return [f"* *{row.name}* (missed): {row.reason or NO_REASON}" for row in missed]


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
    bound = f"{row.bound:g} x floor" if row.floor else _amount(row.bound, row.unit)
    return f"at least {bound}" if row.at_least else bound


def _amount(number: float | None, unit: str) -> str:
    if number is None:
        return ""
    return f"{number:{DIGITS.get(unit, 'g')}} {unit}".rstrip()


def _record(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "unit": row.unit,
        "figure": row.figure,
        "bound": row.bound,
        "floor": row.floor_figure,
        "ratio": row.ratio,
        "verdict": row.verdict,
        "reason": row.reason if row.verdict is Verdict.MISSED else "",
        "samples": list(row.samples),
        "floor_samples": list(row.floor),
    }
