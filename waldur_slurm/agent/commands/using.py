"""`usage` and `backfill`: what push reports, shown to people, and sent for months that are over."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from waldur_slurm.agent.commands import FAILED, OK, code_of, display_of
from waldur_slurm.agent.composition import Site, now
from waldur_slurm.agent.daemon.alone import only_agent
from waldur_slurm.agent.daemon.cycle import ensure_audited
from waldur_slurm.agent.daemon.show import Display, months_shown
from waldur_slurm.agent.directions.push import push_backfill, push_journal, push_lookout
from waldur_slurm.agent.push.backfill import MonthReport, months_between
from waldur_slurm.agent.push.plan.steps import Step
from waldur_slurm.agent.push.plan.words import sentence_of
from waldur_slurm.agent.push.statement import UsageRow, UsageStatement, Verification
from waldur_slurm.agent.settings import Direction
from waldur_slurm.errors import SettingsError
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


def usage(site: Site, arguments: argparse.Namespace) -> int:
    """Show what was used, and beside it what Waldur holds."""
    _require_push(site)
    if arguments.acknowledge:
        return _acknowledge(site, arguments)
    statement = UsageStatement(push_lookout(site))
    months = _months(site, arguments)
    if arguments.verify:
        return _verify(site, statement, months, arguments)
    rows = _rows(statement, months, arguments)
    display = display_of(site)
    if arguments.json:
        owed = push_journal(site).read_owed()
        display.json({"usage": [_record(row) for row in rows], "owed": owed})
    elif arguments.csv:
        display.csv(_COLUMNS, (list(_record(row).values()) for row in rows))
    else:
        _show(site, display, rows)
    return OK


def backfill(site: Site, arguments: argparse.Namespace) -> int:
    """Report months that are over; what was finished is not done again."""
    _require_push(site)
    with only_agent(site.settings.state_dir):
        ensure_audited(site.audit)
        with months_shown(sys.stderr) as progress:
            work = push_backfill(site, allow_decrease=arguments.allow_decrease, progress=progress)
            reports = work.run(arguments.first, arguments.last, dry_run=arguments.dry_run)
    display = display_of(site)
    for report in reports:
        _show_month(display, report, is_dry=arguments.dry_run)
    return code_of([failure for report in reports for failure in report.failures])


def _require_push(site: Site) -> None:
    if site.settings.direction is not Direction.PUSH:
        raise SettingsError(
            ["WALDUR_SYNC_DIRECTION: found 'pull', expected push: usage belongs to push.env"]
        )


def _months(site: Site, arguments: argparse.Namespace) -> tuple[Month, ...]:
    running = Month.containing(now(), site.settings.push.zone)
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


def _show(site: Site, display: Display, rows: Sequence[UsageRow]) -> None:
    records = [_record(row) for row in rows]
    shown = [name for name in _COLUMNS if any(record[name] not in (None, "") for record in records)]
    cells = [["" if record[n] is None else str(record[n]) for n in shown] for record in records]
    if cells:
        display.table([name.replace("_", " ") for name in shown], cells)
    else:
        display.line("No usage.")
    for owed in push_journal(site).read_owed():
        display.line(
            f"owed: {owed.account} in {owed.month}: {owed.component} is {owed.measured},"
            f" Waldur holds {owed.held} and takes no more"
        )


def _verify(
    site: Site,
    statement: UsageStatement,
    months: Sequence[Month],
    arguments: argparse.Namespace,
) -> int:
    display = display_of(site)
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
        f" {verification.compared} figures compared with sreport,"
        f" {len(verification.disagreements)} differ"
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


def _acknowledge(site: Site, arguments: argparse.Namespace) -> int:
    month, account = arguments.acknowledge
    display = display_of(site)
    ensure_audited(site.audit)
    # No lock: the service goes on, and only people write this document.
    settled = push_journal(site).acknowledge(month, account, arguments.reason, now())
    about = {"month": str(month), "account": account, "reason": arguments.reason}
    for owed in settled:
        amounts = {"component": owed.component, "measured": owed.measured, "held": owed.held}
        fields = about | amounts
        site.tell(Event(name="usage.acknowledged", fields=fields, is_change=True))
        display.line(
            f"acknowledged: {owed.account} in {owed.month}: {owed.component} {owed.measured}"
        )
    if not settled:
        display.line(f"nothing is owed for {account} in {month}")
    return OK if settled else FAILED


def _show_month(display: Display, report: MonthReport, *, is_dry: bool) -> None:
    steps: list[Step] = [*report.plan.totals, *report.plan.users]
    verb = "would be told" if is_dry else "told"
    display.line(f"{report.month}: {len(steps)} {verb}, {len(report.failures)} failed")
    for step in steps if is_dry else ():
        display.line(f"  {sentence_of(step)}")
    for refusal in report.plan.refusals:
        display.line(f"  not told: {refusal.subject}: {refusal.reason}")
    for failure in report.failures:
        display.line(f"  failed: {sentence_of(failure.step)}: {failure.error}")
