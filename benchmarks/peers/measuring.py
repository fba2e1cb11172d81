"""Take one agent through its work on a site of its own, cycle by cycle.

Rule: a cycle that broke off is no cheap cycle; it is said, and has no figures.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers import one_cycle
from benchmarks.peers.contestants import Contestant
from benchmarks.peers.figures import Cost
from benchmarks.peers.outcome import CannotRun, Outcome, Work
from benchmarks.peers.site import ACCOUNTS, Past, PeerSite, running_site
from benchmarks.peers.usage import judge, known_usage
from benchmarks.progress import say
from benchmarks.site import BOUND

CEILING_S = 240.0
MOST_CYCLES = 4
BROKEN_OFF = ("The application crashed", "Unable to process the offering")
"""How the peers log that a cycle ended before its time; they go on with the next one."""


class Cycle(NamedTuple):
    cost: Cost
    start_seconds: float


@dataclass(frozen=True)
class Runner:
    contestant: Contestant
    site: PeerSite
    python: Path

    def cycle(self, work: Work) -> Cycle:
        launch = self.contestant.launch(self.site, work)
        report = self.site.directory / "cycle.json"
        report.unlink(missing_ok=True)
        self.site.waldur.forget_requests()
        self.site.tools.forget()
        argv = [
            *(*BOUND, str(self.python), "-I", one_cycle.__file__),
            *(str(report), launch.entry, *launch.arguments),
        ]
        said = self._run(work, argv, dict(launch.environ))
        if not report.exists():
            raise CannotRun(f"{work}: ended without a report: {_last_line(said)}")
        figures = json.loads(report.read_text())
        if figures.pop("failed") or any(words in said for words in BROKEN_OFF):
            raise CannotRun(f"{work}: broke off: {_last_line(said)}")
        start_seconds = figures.pop("start_seconds")
        processes, requests = len(self.site.tools.told()), len(self.site.waldur.requests())
        return Cycle(Cost(**figures, processes=processes, requests=requests), start_seconds)

    def _run(self, work: Work, argv: list[str], environ: dict[str, str]) -> str:
        try:
            done = subprocess.run(
                argv,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=CEILING_S,
                cwd=self.site.directory,
                env=environ,
            )
        except subprocess.TimeoutExpired as error:
            raise CannotRun(f"{work}: not over after {CEILING_S:g} s") from error
        return done.stdout

    def provision(self) -> Cost:
        """As many cycles as it takes; the pauses between them are not counted."""
        total = self.cycle(Work.PROVISION).cost
        for _ in range(MOST_CYCLES - 1):
            if self.site.is_provisioned():
                return total
            total += self.cycle(Work.PROVISION).cost
        if not self.site.is_provisioned():
            raise CannotRun(f"{Work.PROVISION}: not done after {MOST_CYCLES} cycles")
        return total


def measure(contestant: Contestant, past: Past) -> Outcome:
    say(f"{contestant.name}: {contestant.allocations} allocations")
    outcome = Outcome(contestant.name, contestant.dialect, contestant.allocations)
    try:
        python = contestant.python()
        with running_site(contestant.dialect) as site:
            _measure(Runner(contestant, site, python), past, outcome)
    except CannotRun as trouble:
        outcome.trouble = str(trouble)
    return outcome


def _measure(runner: Runner, past: Past, outcome: Outcome) -> None:
    contestant, site = runner.contestant, runner.site
    is_sample = contestant.allocations < ACCOUNTS
    empty = {work: runner.cycle(work).cost for work in Work} if is_sample else {}
    site.order(contestant.allocations)
    found = {Work.PROVISION: runner.provision()}
    site.work_for_months(past)
    runner.cycle(Work.MEMBERS)  # what is left over from provisioning
    for work in (Work.MEMBERS, Work.USAGE):
        found[work], outcome.start_seconds = runner.cycle(work)
    for work, cost in found.items():
        outcome.measured[work] = {"allocations": cost}
        outcome.costs[work] = cost
        if is_sample:
            outcome.measured[work]["empty"] = empty[work]
            factor = ACCOUNTS / contestant.allocations
            outcome.costs[work] = cost.carried_on(empty[work], factor)
    _judge_usage(runner, past, outcome)


def _judge_usage(runner: Runner, past: Past, outcome: Outcome) -> None:
    units, accounts = runner.contestant.units, runner.site.accounts()
    reported = runner.site.reported(past.month)
    outcome.usage, outcome.usage_as_requested = (
        judge(
            accounts,
            known_usage(past.sums_of(accounts, basis), past.month, units),
            reported,
            units,
        )
        for basis in ("allocated", "requested")
    )


def _last_line(said: str) -> str:
    lines = said.strip().splitlines() or ["it said nothing"]
    return lines[-1][:200]
