"""Several looks as one. Pure."""

from collections.abc import Sequence

from waldur_slurm.operator.jobs.port import Found


def together(parts: Sequence[Found]) -> Found:
    """Put looks together that asked for different marks; it is as old as the oldest of them."""
    return Found(
        as_of=min(part.as_of for part in parts),
        jobs={mark: job for part in parts for mark, job in part.jobs.items()},
        absent=frozenset().union(*(part.absent for part in parts)),
        unknown=frozenset().union(*(part.unknown for part in parts)),
        said="; ".join(dict.fromkeys(part.said for part in parts if part.said)),
    )
