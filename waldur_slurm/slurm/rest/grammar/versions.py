"""A job as clients of slurmrestd's newer interfaces describe it, for an older one. Pure."""

from collections.abc import Mapping
from typing import Any

from waldur_slurm.slurm.rest.grammar.jobs import OBJECTS_SINCE

NO_LIMIT = 2**32 - 1


def in_version(body: Mapping[str, Any], version: int) -> Mapping[str, Any]:
    """Return it as the version has it; what is no job's description stays what it is."""
    job = body.get("job")
    if version >= OBJECTS_SINCE or not isinstance(job, Mapping):
        return body
    older = {name: _plain(value) for name, value in job.items() if not _is_unset(value)}
    script = older.pop("script", None)
    if "environment" in older:
        older["environment"] = _named(older["environment"])
    return {**body, "job": older, **({} if script is None else {"script": script})}


def _is_unset(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("set") is False


def _plain(value: object) -> object:
    """A number of today says beside itself whether it is one."""
    if not isinstance(value, Mapping) or "set" not in value:
        return value
    return NO_LIMIT if value.get("infinite") is True else value.get("number")


def _named(environment: object) -> object:
    """Older versions take names with values instead of a list."""
    if not isinstance(environment, list):
        return environment
    pairs = (str(each).partition("=") for each in environment)
    return {name: value for name, is_pair, value in pairs if is_pair}
