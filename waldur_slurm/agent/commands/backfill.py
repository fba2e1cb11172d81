"""`backfill`: report months that are over; what was finished is not done again."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from waldur_slurm.agent.commands import alone, code_of, display_of, require
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.daemon.cycle import ensure_audited
from waldur_slurm.agent.daemon.show import Display, months_shown
from waldur_slurm.agent.directions.push import push_backfill
from waldur_slurm.agent.push.backfill import MonthReport
from waldur_slurm.agent.push.plan.steps import Step
from waldur_slurm.agent.push.plan.words import sentence_of
from waldur_slurm.agent.settings import Direction


def backfill(parts: Parts, arguments: argparse.Namespace) -> int:
    require(parts, Direction.PUSH, "past months are push.env's")
    with _alone_to_change(parts, arguments), months_shown(sys.stderr) as progress:
        work = push_backfill(parts, allow_decrease=arguments.allow_decrease, progress=progress)
        reports = work.run(arguments.first, arguments.last, dry_run=arguments.dry_run)
    display = display_of(parts)
    for report in reports:
        _show_month(display, report, is_dry=arguments.dry_run)
    return code_of([failure for report in reports for failure in report.failures])


@contextmanager
def _alone_to_change(parts: Parts, arguments: argparse.Namespace) -> Iterator[None]:
    """A dry run changes nothing, and runs beside the service."""
    if arguments.dry_run:
        yield
        return
    with alone(parts):
        ensure_audited(parts.audit)
        yield


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
