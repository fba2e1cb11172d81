"""A site with a past: a month of jobs up to a fixed moment, and an allocation for each account.

Rule: what the jobs come to is known exactly, and what was reported is held against it.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.progress import say
from benchmarks.scale import Scale
from benchmarks.site import Agent, Site, running_site
from sandbox.slurm import Cluster
from sandbox.slurm.history import History, fill
from sandbox.slurm.history_jobs import HistoryOptions
from sandbox.slurm.history_sums import exact_sums
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.tres_file import read_tres_file
from waldur_slurm.model.period import Month, Window

ZONE = ZoneInfo("UTC")
FIRST_MONTH, MONTHS = (2026, 1), 3
AT_EDGES = 0.1
"""No more jobs around a month's edge than a site of this size might have."""
NOW = datetime(2026, 3, 29, 6, tzinfo=UTC)
"""Of the agent and of Waldur: the jobs end about here, and the month has 29 days to read."""

COMPONENTS = """\
cpu: {limit: 1000, measured_unit: hours, accounting_type: usage, label: CPU, unit_factor: 60}
mem: {limit: 1000, measured_unit: GiB-hours, accounting_type: usage, label: RAM, unit_factor: 61440}
gres/gpu:
  {limit: 1000, measured_unit: hours, accounting_type: usage, label: GPU, unit_factor: 60,
   component: gpu}
"""


@dataclass(frozen=True)
class PastSite:
    site: Site
    agent: Agent
    history: History
    components: tuple[Component, ...]

    @property
    def month(self) -> Window:
        window = Month.containing(NOW, ZONE).window(ZONE)
        return window.before(NOW)

    @property
    def jobs_in_month(self) -> int:
        began, now = (int(edge.timestamp()) for edge in (self.month.start, self.month.end))
        return sum(job.start < now and job.end > began for job in self.history.jobs)

    def forget_past_days(self) -> None:
        """As if the day had just begun: what was read of past days was read yesterday."""
        shutil.rmtree(Path(self.agent.environ["AGENT_STATE_DIR"]) / "cache" / "past-days")

    def wrong_amounts(self) -> int:
        """How many amounts of this month in Waldur are not what the jobs come to."""
        wanted = self._known()
        names = {row["uuid"]: row["backend_id"] for row in self.site.waldur.resources()}
        held = {
            (names[row["resource"]], row["type"]): Decimal(row["usage"])
            for row in self.site.waldur.usages()
        }
        return sum(wanted.get(key) != held.get(key) for key in wanted.keys() | held.keys())

    def _known(self) -> dict[tuple[str, str], Decimal]:
        month = f"{NOW:%Y-%m}"
        allocated = set(self.site_accounts)
        seconds: dict[tuple[str, str], int] = {}
        for share, held in exact_sums(self.history.jobs, ZONE, int(NOW.timestamp())).items():
            if share.month == month and share.account in allocated:
                key = (share.account, share.tres)
                seconds[key] = seconds.get(key, 0) + held
        return {
            (account, sold.type): sold.to_usage(seconds[account, sold.tres])
            for account in allocated
            for sold in self.components
            if (account, sold.tres) in seconds
        }

    @property
    def site_accounts(self) -> tuple[str, ...]:
        options = self.history.options
        return options.account_names()[: -len(options.gone_accounts)]


@contextmanager
def past_site(scale: Scale) -> Iterator[PastSite]:
    with running_site() as site:
        say(f"inventing {scale.jobs} jobs")
        options = HistoryOptions(
            jobs=scale.jobs,
            first_month=FIRST_MONTH,
            months=MONTHS,
            accounts=scale.history_accounts,
            users=3 * scale.history_accounts,
            at_edges=AT_EDGES,
        )
        history = fill(site.cluster, site.cluster.options.name, options)
        history = _all_over(site.cluster, history)
        tres_file = site.directory / "components.yaml"
        tres_file.write_text(COMPONENTS)
        agent = site.agent("push", tres_file, clock_offset=NOW - datetime.now(UTC))
        past = PastSite(site, agent, history, read_tres_file(tres_file))
        _allocate(past)
        yield past


def _all_over(cluster: Cluster, history: History) -> History:
    """Let go of jobs that go on after `NOW`: no slurmctld runs them, and usage would grow."""
    now = int(NOW.timestamp())
    cluster.sql(
        f"delete from {cluster.options.name}_job_table where time_end = 0 or time_end > {now}"
    )
    return replace(history, jobs=tuple(job for job in history.jobs if 0 < job.end <= now))


def _allocate(past: PastSite) -> None:
    """In Waldur an allocation for each account that is still there, and everybody's user name."""
    waldur, options = past.site.waldur, past.history.options
    waldur.set_clock(NOW)
    waldur.seed(len(past.site_accounts), members_each=1, people=options.users)
    with waldur.store.transaction():
        for row, account in zip(waldur.resources(), past.site_accounts, strict=True):
            waldur.change("resources", row["uuid"], backend_id=account)
        for row, user in zip(waldur.offering_users(), options.user_names(), strict=True):
            waldur.change("offering_users", row["uuid"], username=user)
        for row in waldur.components():
            waldur.change("components", row["uuid"], billing_type="usage")
