"""The third original's wire: JSON with four blanks, times in two spellings, records. Pure.

What is looked at has times as text without a zone; what is deleted has them, and its own id, as
MongoDB's extended JSON.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.watch.monitor import UNKNOWN, Monitor


def written(value: object) -> bytes:
    """Write it as most answers are written."""
    return json.dumps(value, indent=4).encode() + b"\n"


def told(words: str) -> bytes:
    """Write an error as Flask did, on one line."""
    return json.dumps({"error": words}, separators=(",", ":")).encode() + b"\n"


def parse(body: bytes) -> object:
    """Read what was sent; where it is no JSON the words say at which letter it stops being some."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongAsk(f"the body is no UTF-8, from byte {error.start} on") from None
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise WrongAsk(f"{where}: {_expected(text, error)}") from None
    except RecursionError:
        raise WrongAsk("brackets within brackets, too deep to be read") from None
    except ValueError:
        raise WrongAsk("a number of thousands of digits, which nothing here asks for") from None


def _expected(text: str, error: json.JSONDecodeError) -> str:
    """Name the usual slip of a hand by its name."""
    before, after = text[: error.pos].rstrip(), text[error.pos : error.pos + 1]
    if before.endswith(",") and after in ("}", "]"):
        return f"a comma stands before {after}; take it out"
    if not text.strip():
        return "nothing was sent"
    return error.msg[:1].lower() + error.msg[1:]


def _refuse_constant(name: str) -> object:
    raise WrongAsk(f"{name} is no number in JSON")


def object_id(monitor: Monitor) -> str:
    """Return 24 digits as MongoDB counts them: the second in which it was made, then itself."""
    rest = sha256(monitor.id.encode()).hexdigest()[:16]
    return f"{int(monitor.made.timestamp()):08x}{rest}"


def shown(monitor: Monitor) -> dict[str, Any]:
    """A record as it is looked at."""
    return {
        **_record(monitor),
        "created_at": iso(monitor.made),
        "updated_at": monitor.updated and iso(monitor.updated),
        "_id": object_id(monitor),
    }


def extended(monitor: Monitor) -> dict[str, Any]:
    """A record as it is deleted."""
    return {
        **_record(monitor),
        "created_at": _date(monitor.made),
        "updated_at": monitor.updated and _date(monitor.updated),
        "_id": {"$oid": object_id(monitor)},
    }


def _record(monitor: Monitor) -> dict[str, Any]:
    return {
        "slurm_username": monitor.user,
        "slurm_job_id": number(monitor),
        "slurm_job_state": last_state(monitor),
        "task": task(monitor),
    }


def task(monitor: Monitor) -> Mapping[str, Any]:
    """Return the task as it was given; one that is not the original's has no more than this."""
    return monitor.task or {"username": monitor.user, "uuid": monitor.uuid}


def number(monitor: Monitor) -> int | None:
    return None if monitor.job is None else monitor.job.number


def last_state(monitor: Monitor) -> str:
    """Return the state alone, as `CANCELLED` of `CANCELLED by 1000`.

    A job that was handed in and not looked at yet waits: that is how Slurm takes one.
    """
    if monitor.state == UNKNOWN and monitor.updated is None and monitor.job is not None:
        return "PENDING"
    return monitor.state.partition(" ")[0].partition("+")[0]


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def _date(moment: datetime) -> dict[str, str]:
    return {"$date": f"{iso(moment)}Z"}
