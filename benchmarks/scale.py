"""How large the sites are that are measured, and how often: whole, or a tenth of it. Values."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Scale:
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

    def tenth(self) -> "Scale":
        return replace(
            self,
            runs=self.runs // 3,
            allocations=self.allocations // 10,
            many_allocations=self.many_allocations // 10,
            jobs=self.jobs // 10,
            queued_jobs=self.queued_jobs // 10,
            many_queued_jobs=self.many_queued_jobs // 10,
            history_accounts=self.history_accounts // 10,
            commands=self.commands // 5,
            idle_cycles=self.idle_cycles // 30,  # they would be half of all the time
        )
