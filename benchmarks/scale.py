"""How large the sites are that are measured, and how often: whole, or a tenth of it. Values."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Scale:
    has_peers: bool = True
    runs: int = 6
    """Samples of what is quick enough to be measured again and again."""
    allocations: int = 1_000
    many_allocations: int = 10_000
    users_each: int = 5
    jobs: int = 1_080_000
    """Invented; about 330,000 of them are in the month that is reported."""
    history_accounts: int = 1_000
    commands: int = 50
    """One after the other, to compare transports."""
    idle_cycles: int = 10_000
    queued_jobs: int = 10_000
    many_queued_jobs: int = 50_000
    refreshes_timed: int = 12
    crowds: int = 12
    """How often fifty clients have the whole list of the larger queue."""
    refreshes: int = 1_000
    requests: int = 100_000
    streams: int = 1_000
    watched_jobs: int = 1_000
    letters: int = 20_000
    nodes: int = 1_000
    slurm_jobs: int = 1_000
    """Of Kubernetes; a fifth of them is made at once."""
    archive_megabytes: int = 1_000

    def tenth(self) -> "Scale":
        return replace(
            self,
            has_peers=False,
            runs=self.runs // 3,
            allocations=self.allocations // 10,
            many_allocations=self.many_allocations // 10,
            jobs=self.jobs // 10,
            queued_jobs=self.queued_jobs // 10,
            many_queued_jobs=self.many_queued_jobs // 10,
            history_accounts=self.history_accounts // 10,
            commands=self.commands // 5,
            crowds=self.crowds // 3,
            refreshes=self.refreshes // 10,
            requests=self.requests // 10,
            streams=self.streams // 10,
            watched_jobs=self.watched_jobs // 10,
            letters=self.letters // 10,
            nodes=self.nodes // 10,
            slurm_jobs=self.slurm_jobs // 10,
            archive_megabytes=self.archive_megabytes // 10,
            idle_cycles=self.idle_cycles // 30,  # they would be half of all the time
        )
