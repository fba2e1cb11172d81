"""What Waldur does to allocations in time: ends some, and steers what they may use. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from waldur_slurm.agent.check.facts import WaldurFacts
from waldur_slurm.agent.model.marketplace import UsagePolicy
from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.counting import counted
from waldur_slurm.service.check.findings import Finding, fine, some_of, warning

SOON = timedelta(days=30)


def judge_ends(waldur: WaldurFacts) -> Iterator[Finding]:
    """Waldur ends them by a Terminate order, and then jobs and people go."""
    if isinstance(waldur.members, ExpectedError) or not waldur.members.ends:
        return
    last = waldur.local_time.date() + SOON
    ends = waldur.members.ends
    soon = [f"{day} {name}" for name, day in ends.items() if day <= last]
    allocations = counted(len(ends), "allocation has", "allocations have")
    which = f"; within {SOON.days} days: {some_of(soon)}" if soon else ""
    yield fine("end dates", f"{allocations} one in Waldur{which}")


def judge_policies(waldur: WaldurFacts) -> Iterator[Finding]:
    """Waldur sends what such a policy wants of Slurm to agents that listen; this one asks."""
    subject = "usage policy"
    if isinstance(waldur.policies, ExpectedError):
        advice = "the token must be allowed to read marketplace-slurm-periodic-usage-policies/"
        yield warning(subject, str(waldur.policies), advice)
        return
    for policy in waldur.policies:
        yield warning(
            subject,
            f"a periodic usage policy is active ({_described(policy)}): what it makes of resources,"
            " paused or downscaled, is obeyed; limits, QoS and resets that it sends to Slurm itself"
            " are not",
            "set SLURM_DOWNSCALED_QOS where it downscales; order limits by Update orders, as Waldur"
            " keeps those of the policy's components whatever it is told",
        )


def _described(policy: UsagePolicy) -> str:
    parts = [f"limits by {policy.limit_type}" if policy.limit_type else "no type of limit"]
    parts += ["carries over what is left"] if policy.carries_over else []
    parts += ["resets raw usage"] if policy.resets_usage else []
    parts += [f"governs {', '.join(policy.governs)}"] if policy.governs else []
    return ", ".join(parts)
