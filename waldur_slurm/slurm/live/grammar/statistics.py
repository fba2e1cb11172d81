"""`sdiag`: counters by section, under the names that Slurm gives them. Pure."""

import re
from datetime import UTC, datetime

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.cluster import Rpc, Statistics
from waldur_slurm.slurm.grammar.rows import lines_of

_OUTPUT_AT = re.compile(r"^sdiag output at .* \((\d{1,12})\)$", re.ASCII | re.MULTILINE)
_SINCE = re.compile(r"^Data since .* \((\d{1,12})\)$", re.ASCII | re.MULTILINE)
_COUNTER = re.compile(r"\s*([^:]+):\s+(\d{1,20})(?: \w+)?\s*", re.ASCII)
_MOMENT = re.compile(r"\s*([^:]+):\s+\S.* \((\d{1,12})\)\s*", re.ASCII)
_RPC = re.compile(
    r"\s+(.+?)\s+\( *(\d{1,10})\) count:(\d{1,20})"
    r"\s+ave_time:(\d{1,20})\s+total_time:(\d{1,20})\s*",
    re.ASCII,
)
_SECTIONS = {
    "Main schedule statistics": "main",
    "Backfilling stats": "backfill",
    "Remote Procedure Call statistics by message type": "message",
    "Remote Procedure Call statistics by user": "user",
}


def parse_statistics(text: str) -> Statistics:
    sections = _sections(text)
    return Statistics(
        at=_moment(_OUTPUT_AT, text),
        since=_moment(_SINCE, text),
        counters=_counters([line for line in lines_of(text) if not line[:1].isspace()]),
        main_schedule=_counters(sections["main"]),
        backfill=_counters(sections["backfill"]),
        by_message=_rpcs(sections["message"]),
        by_user=_rpcs(sections["user"]),
    )


def _sections(text: str) -> dict[str, list[str]]:
    """Gather indented lines below their headings; sections without a name here are left out."""
    found: dict[str, list[str]] = {name: [] for name in _SECTIONS.values()}
    current: list[str] | None = None
    for line in lines_of(text):
        if not line[:1].isspace():
            heading = next((name for name in _SECTIONS if line.startswith(name)), None)
            current = found[_SECTIONS[heading]] if heading else None
        elif current is not None:
            current.append(line)
    return found


def _counters(lines: list[str]) -> dict[str, int]:
    """Read numbers, and moments as seconds since the epoch; lines of other kinds are left out."""
    matches = (_COUNTER.fullmatch(line) or _MOMENT.fullmatch(line) for line in lines)
    return {match[1]: int(match[2]) for match in matches if match}


def _rpcs(lines: list[str]) -> tuple[Rpc, ...]:
    matches = [(line, _RPC.fullmatch(line)) for line in lines if line.strip()]
    unreadable = [line for line, match in matches if match is None]
    if unreadable:
        raise UnparsableOutput(f"not a count of RPCs: {unreadable[0][:200]!r}")
    return tuple(Rpc(m[1], *map(int, m.groups()[1:])) for _, m in matches if m)


def _moment(pattern: re.Pattern[str], text: str) -> datetime:
    match = pattern.search(text)
    if match is None:
        raise UnparsableOutput(f"not what sdiag says: {text[:200]!r}")
    return datetime.fromtimestamp(int(match[1]), UTC)
