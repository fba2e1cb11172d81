"""A `Cluster` over Slurm's own tools."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from waldur_slurm.errors import AccountingDown, CommandFailed
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.cluster import (
    Controller,
    License,
    Node,
    Partition,
    Qos,
    Reservation,
    Statistics,
    Versions,
)
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import JobListing, LiveJob
from waldur_slurm.model.names import ClusterName
from waldur_slurm.processes.port import Argv, Transport
from waldur_slurm.slurm.grammar.marks import mark_of
from waldur_slurm.slurm.grammar.questions import questions_about, split_answers
from waldur_slurm.slurm.grammar.settings import parse_configuration, parse_version
from waldur_slurm.slurm.live.grammar import commands, details, things
from waldur_slurm.slurm.live.grammar.jobs import is_no_job, parse_jobs
from waldur_slurm.slurm.live.grammar.statistics import parse_statistics
from waldur_slurm.slurm.tools import Tools

MOST_ASKED_ALONE = 1000
"""Jobs whose record somebody else claims too; beyond that many they stay unknown."""

QUICKLY = timedelta(seconds=5)
"""How long somebody waits for one job."""


def fresh_nonce() -> str:
    """Return 72 random bits, which no text that was written before can hold by chance."""
    return secrets.token_urlsafe(9)


class ClusterClient:
    """Asks one cluster; `away` names it where it is not the local one."""

    def __init__(
        self,
        transport: Transport,
        *,
        away: ClusterName | None = None,
        bin_path: str = "",
        timeout: timedelta | None = None,
        nonce: Callable[[], str] = fresh_nonce,
    ) -> None:
        self._tools = Tools(transport, bin_path=bin_path, timeout=timeout)
        self._quick_tools = Tools(
            transport, bin_path=bin_path, timeout=min(timeout or QUICKLY, QUICKLY)
        )
        self._away = away
        self._nonce = nonce

    def read_jobs(self) -> JobListing:
        return self._read_jobs(commands.show_jobs(self._away), self._tools)

    def read_job(self, job: JobId) -> JobListing:
        try:
            return self._read_jobs(commands.show_job(self._away, job), self._quick_tools)
        except AccountingDown:
            raise
        except CommandFailed as error:
            if is_no_job(error.said):
                return JobListing(())
            raise

    def _read_jobs(self, argv: Argv, tools: Tools) -> JobListing:
        mark = mark_of(self._nonce())
        lines = tools.listen(argv, environ=commands.jobs_format(mark))
        listing = parse_jobs(lines, mark)
        if listing is None:
            raise AccountingDown(argv, 0, "not even a heading")
        return listing

    def read_details(self, jobs: Iterable[LiveJob]) -> Mapping[Run, JobDetails]:
        wanted = {job.number: job for job in jobs}
        if not wanted:
            return {}
        lines = self._tools.listen(commands.show_details(self._away))
        claims = details.parse_claims(lines, frozenset(wanted))
        contested = [wanted[number] for number in claims if len(claims[number]) > 1]
        contested.sort(key=lambda job: not job.hosts)  # what jobs hold is wanted most
        told = {**claims, **self._ask_alone(contested[:MOST_ASKED_ALONE])}
        found = {
            job.run: details.details_of(job, told.get(number, ())) for number, job in wanted.items()
        }
        return {run: known for run, known in found.items() if known is not None}

    def _ask_alone(self, jobs: Sequence[LiveJob]) -> details.Claims:
        """Ask about each by itself: its record then stands among no other owner's words."""
        if not jobs:
            return {}
        argv, mark = commands.obey_questions(self._away), mark_of(self._nonce())
        questions = questions_about((commands.name_of_one(job.id) for job in jobs), mark)
        completed = self._tools.attempt(argv, stdin=questions)
        try:
            self._tools.believe(argv, completed)
        except CommandFailed as refusal:  # slurmctld no longer knows some of the jobs
            if refusal.transient:
                raise
        answers = split_answers(completed.out, len(jobs), mark)
        return details.parse_claims_alone([job.number for job in jobs], answers)

    def read_nodes(self) -> tuple[Node, ...]:
        return things.parse_nodes(self._tools.ask(commands.show_nodes(self._away)))

    def read_partitions(self) -> tuple[Partition, ...]:
        return things.parse_partitions(self._tools.ask(commands.show_partitions(self._away)))

    def read_reservations(self) -> tuple[Reservation, ...]:
        return things.parse_reservations(self._tools.ask(commands.show_reservations(self._away)))

    def read_licenses(self) -> tuple[License, ...]:
        return things.parse_licenses(self._tools.ask(commands.show_licenses(self._away)))

    def read_qos(self) -> tuple[Qos, ...]:
        return things.parse_qos(self._tools.ask(commands.show_qos()))

    def read_statistics(self) -> Statistics:
        return parse_statistics(self._tools.ask(commands.show_statistics(self._away)))

    def read_configuration(self) -> Mapping[str, str]:
        return parse_configuration(self._tools.ask(commands.show_configuration(self._away)))

    def ping(self) -> tuple[Controller, ...]:
        """Ask each slurmctld; the exit code says again whether one of them answers."""
        argv = commands.ping(self._away)
        completed = self._tools.attempt(argv)
        if self._tools.is_silence(argv, completed) or not completed.out:
            self._tools.believe(argv, completed)
        return things.parse_controllers(completed.out)

    def read_versions(self) -> Versions:
        return Versions(
            tools=parse_version(self._tools.ask(commands.show_version())),
            slurmctld=self.read_configuration().get("SLURM_VERSION", ""),
        )
