"""`usage`: what was used, and beside it what Waldur holds; `--acknowledge` notes a debt."""

import argparse
from collections.abc import Sequence
from datetime import timedelta

from waldur_slurm.agent.commands import FAILED, OK, display_of
from waldur_slurm.agent.composition import Parts, now
from waldur_slurm.agent.daemon.cycle import ensure_audited
from waldur_slurm.agent.daemon.show import Display
from waldur_slurm.agent.directions.push import push_journal, push_reader
from waldur_slurm.agent.push.backfill import months_between
from waldur_slurm.agent.push.statement import UsageRow, UsageStatement, Verification
from waldur_slurm.model.counting import counted
from waldur_slurm.model.period import Month
from waldur_slurm.telemetry.events import Event

_COLUMNS = (
    "account",
    "period",
    "component",
    "user",
    "tres_seconds",
    "measured",
    "in_waldur",
    "difference",
    "note",
)


def usage(parts: Parts, arguments: argparse.Namespace) -> int:
    """Show what was used, and beside it what Waldur holds.

    Each direction has debts of its own: pull's are those of allocations that have ended.
    """
    if arguments.acknowledge:
        return _acknowledge(parts, arguments)
    statement = UsageStatement(push_reader(parts))
    months = _months(parts, arguments)
    if arguments.verify:
        return _verify(parts, statement, months, arguments)
    rows = _rows(statement, months, arguments)
    display = display_of(parts)
    if arguments.json:
        owed = push_journal(parts).read_owed()
        display.json({"usage": [_record(row) for row in rows], "owed": owed})
    elif arguments.csv:
        display.csv(_COLUMNS, (list(_record(row).values()) for row in rows))
    else:
        _show(parts, display, rows)
    return OK


def _months(parts: Parts, arguments: argparse.Namespace) -> tuple[Month, ...]:
    running = Month.containing(now(), parts.settings.push.zone)
    if arguments.month:
        return (arguments.month,)
    last = arguments.last or running
    return months_between(arguments.first or last, last)


def _rows(
    statement: UsageStatement, months: Sequence[Month], arguments: argparse.Namespace
) -> tuple[UsageRow, ...]:
    if arguments.by == "day":
        last_day = months[-1].following().first_day - timedelta(days=1)
        return statement.by_day(months[0].first_day, last_day, arguments.account)
    if arguments.by == "user":
        return statement.by_user(months, arguments.account)
    return statement.by_month(months, arguments.account)


def _record(row: UsageRow) -> dict[str, object]:
    values = (
        row.account,
        row.period,
        row.component,
        row.user,
        row.tres_seconds,
        str(row.measured),
        None if row.held is None else str(row.held),
        None if row.difference is None else str(row.difference),
        row.note,
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _show(parts: Parts, display: Display, rows: Sequence[UsageRow]) -> None:
    records = [_record(row) for row in rows]
    shown = [name for name in _COLUMNS if any(record[name] not in (None, "") for record in records)]
    cells = [["" if record[n] is None else str(record[n]) for n in shown] for record in records]
    if cells:
        display.table([name.replace("_", " ") for name in shown], cells)
    else:
        display.line("No usage.")
    for owed in push_journal(parts).read_owed():
        display.line(
            f"owed: {owed.account} in {owed.month}: {owed.component} is {owed.measured},"
            f" Waldur holds {owed.held} and takes no more"
        )


def _verify(
    parts: Parts,
    statement: UsageStatement,
    months: Sequence[Month],
    arguments: argparse.Namespace,
) -> int:
    display = display_of(parts)
    found = [statement.verify(month, arguments.account) for month in months]
    if arguments.json:
        display.json(found)
    else:
        for verification in found:
            _show_verification(display, verification)
    return FAILED if any(verification.disagreements for verification in found) else OK


def _show_verification(display: Display, verification: Verification) -> None:
    window = verification.window
    display.line(
        f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC:"
        f" {counted(verification.compared, 'figure')} compared with sreport,"
        f" {counted(len(verification.disagreements), 'differs', 'differ')}"
    )
    if verification.disagreements:
        display.table(
            ("account", "user", "TRES", "measured s", "sreport s", "difference s"),
            [
                (
                    d.account,
                    d.user,
                    d.tres,
                    str(d.measured),
                    str(d.rolled_up),
                    str(d.measured - d.rolled_up),
                )
                for d in verification.disagreements
            ],
        )


def _acknowledge(parts: Parts, arguments: argparse.Namespace) -> int:
    month, account = arguments.acknowledge
    display = display_of(parts)
    ensure_audited(parts.audit)
    # No lock: the service goes on, and only people write this document.
    settled = push_journal(parts).acknowledge(month, account, arguments.reason, now())
    about = {"month": str(month), "account": account, "reason": arguments.reason}
    for owed in settled:
        amounts = {"component": owed.component, "measured": owed.measured, "held": owed.held}
        fields = about | amounts
        parts.tell(Event(name="usage.acknowledged", fields=fields, is_change=True))
        display.line(
            f"acknowledged: {owed.account} in {owed.month}: {owed.component} {owed.measured}"
        )
    if not settled:
        display.line(f"nothing is owed for {account} in {month}")
    return OK if settled else FAILED
