"""What a cycle came to, and how a cycle over a few allocations is carried on to many. Pure."""

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one cycle, or of all that it took to get something done."""

    seconds: float
    cpu_seconds: float
    client_cpu_seconds: float
    """Of the Slurm commands that the agent started."""
    processes: float
    requests: float
    megabytes: float
    """The agent's own memory at its highest."""

    def __add__(self, after: Self) -> Self:
        """One after the other: memory is not added."""
        sums = {name: getattr(self, name) + getattr(after, name) for name in GROWING}
        return type(self)(**sums, megabytes=max(self.megabytes, after.megabytes))

    def carried_on(self, empty: Self, factor: float) -> Self:
        """Of so many times the allocations: what also an empty offering costs stays as it is.

        Memory is left as it was measured.
        """
        grown = {}
        for name in GROWING:
            fixed = getattr(empty, name)
            grown[name] = fixed + max(getattr(self, name) - fixed, 0) * factor
        return type(self)(**grown, megabytes=self.megabytes)


GROWING = tuple(field.name for field in fields(Cost) if field.name != "megabytes")
