"""Whether a task's time fits where it wants to run. Pure.

Many a site lets Slurm take a job that is over its partition's limit, which then waits for ever: so
hours that were meant as minutes are refused here. Some QoS lift the limit; who names one knows.
"""

from collections.abc import Collection, Mapping

from waldur_slurm.gateway.errors import Refused
from waldur_slurm.model.batch import Refusal
from waldur_slurm.model.cluster import Partition


def demand_time(options: Mapping[str, str | None], partitions: Collection[Partition]) -> None:
    """Raise `Refused` where each of the partitions is known, and none lets it run so long."""
    minutes = options.get("time") or ""
    if not minutes.isdecimal() or "qos" in options:
        return
    default = next((each.name for each in partitions if each.is_default), "")
    named = (options.get("partition") or default).split(",")
    known = {each.name: each.max_time_s for each in partitions}
    limits = [known.get(name) for name in named]
    bounds = [limit for limit in limits if limit is not None]
    if len(bounds) < len(limits) or int(minutes) * 60 <= max(bounds):
        return
    raise Refused(
        f"task.slurm: {minutes} minutes are more than the {max(bounds) // 60} that the partition"
        " lets a job run; it would wait for ever",
        Refusal.TIME.value,
        "MaxTime",
    )
