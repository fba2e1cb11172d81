"""How jobs are watched: names that the original knows are its own."""

from dataclasses import dataclass
from datetime import timedelta

from waldur_slurm.variables.readers import duration
from waldur_slurm.variables.variable import Secret, variable

_LEAST_SECRET = 32
_AT_LEAST = timedelta(seconds=1)


def interval(text: str) -> timedelta:
    """Read minutes, as the original has them, or a time with its unit."""
    return duration(_AT_LEAST)(f"{text}m" if text.isdecimal() else text)


def secret(text: str) -> Secret:
    if len(text) >= _LEAST_SECRET and text.isascii() and text.isprintable() and " " not in text:
        return Secret(text)
    raise ValueError(f"at least {_LEAST_SECRET} characters, such as `openssl rand -hex 32` prints")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """Typed and checked."""

    interval: timedelta = variable(
        "MONITOR_POLLING_INTERVAL",
        interval,
        "how old the list of jobs may get while somebody watches one: minutes, or with a unit such"
        " as `30s`",
        "1",
    )
    max_age: timedelta = variable(
        "MONGODB_MONITOR_JOB_CREATED_AT_MAX_AGE",
        duration(timedelta(minutes=1)),
        "for how long a job is watched; then whoever waits is told that it is no longer",
        "14d",
    )
    hook_secret: Secret | None = variable(
        "GATEWAY_HOOK_SECRET",
        secret,
        "what an epilog signs with that tells of a job's end, HMAC-SHA256; the same on all nodes",
        is_secret=True,
        unset_means="no epilog is listened to",
    )
