"""`slurm-gateway token`: makes, lists and revokes tokens; a gateway that runs notices at once.

A token is written to standard output alone, once; what is said about it goes to standard error.
"""

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.doors.principals import OneJob
from waldur_slurm.gateway.doors.tokens import Token, mint
from waldur_slurm.gateway.errors import NotThere
from waldur_slurm.gateway.managing import FOR_ANYBODY, OPENS
from waldur_slurm.telemetry.lines import visible


def run(parts: Parts, arguments: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    match arguments.verb:
        case "make":
            _make(parts, arguments, now)
        case "rotate":
            _rotate(parts, arguments, now)
        case "revoke":
            _revoke(parts, arguments, now)
        case _:
            _list(parts, arguments, now)
    return 0


def _make(parts: Parts, arguments: argparse.Namespace, now: datetime) -> None:
    app: str = arguments.app or ""
    if app and (parts.managed is None or parts.managed.apps.find(app) is None):
        raise NotThere(f"there is no app {app}")
    made = mint(
        parts.token_secret,
        name=arguments.name,
        scopes=OPENS if app else arguments.scopes,
        run_as=arguments.run_as if str(arguments.run_as) or not app else FOR_ANYBODY,
        made=now,
        ends=_end(arguments.expires, now),
        app=app,
    )
    parts.tokens.add(made.token)
    _show(made.text, made.token)


def _rotate(parts: Parts, arguments: argparse.Namespace, now: datetime) -> None:
    """Make one alike, that lives as long; the old one goes on for a while."""
    old = _find(parts, arguments.id)
    if old.is_over(now):
        raise NotThere(f"the token {old.id} is over already; make a new one with `token make`")
    ends = now + (old.ends - old.made) if old.ends else None
    made = mint(
        parts.token_secret,
        name=old.name,
        scopes=old.scopes,
        run_as=old.run_as,
        made=now,
        ends=ends,
        app=old.app,
        job=old.job,
    )
    parts.tokens.add(made.token)
    parts.tokens.end(old.id, now + arguments.grace)
    _show(made.text, made.token)
    _say(f"The old one, {old.id}, is valid until {_shown(now + arguments.grace)} at the latest.")


def _revoke(parts: Parts, arguments: argparse.Namespace, now: datetime) -> None:
    """Look for all of them first: where one is not there, none is revoked."""
    known = [_find(parts, token_id) for token_id in arguments.id]
    for token in known:
        parts.tokens.revoke(token.id, now)
        _say(f"The token {token.id} ({visible(token.name) or 'without a name'}) is revoked.")


def _list(parts: Parts, arguments: argparse.Namespace, now: datetime) -> None:
    tokens = sorted(parts.tokens.since(0).tokens, key=lambda token: (token.made, token.id))
    if arguments.json:
        parts.display.json([_as_json(token, now) for token in tokens])
        return
    columns = ("id", "name", "valid until", "last used", "acts for", "may")
    parts.display.table(columns, [_row(token, now) for token in tokens])


def _find(parts: Parts, token_id: str) -> Token:
    for token in parts.tokens.since(0).tokens:
        if token.id == token_id:
            return token
    raise NotThere(f"there is no token {token_id!a}; `slurm-gateway token list` shows their ids")


def _end(expires: timedelta | None, now: datetime) -> datetime | None:
    return now + expires if expires else None


def _show(text: str, token: Token) -> None:
    token = replace(token, name=visible(token.name))
    _say(f"The token {token.id} ({token.name}) may {', '.join(sorted(token.scopes))}.")
    _say(f"It acts for: {token.run_as}." if str(token.run_as) else "It acts for nobody.")
    _say(f"It is valid until {_shown(token.ends)}." if token.ends else "It never expires.")
    _say("It is shown this once; whoever has it may do all this:")
    sys.stderr.flush()
    sys.stdout.write(f"{text}\n")


def _as_json(token: Token, now: datetime) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "run_as": str(token.run_as),
        "made": _shown(token.made),
        "ends": _shown(token.ends) if token.ends else None,
        "last_used": _shown(token.last_used) if token.last_used else None,
        "valid": not token.is_over(now),
        "job": _job_as_json(token.job) if token.job else None,
    }


def _job_as_json(job: OneJob) -> dict[str, object]:
    submitted = _shown(job.submitted)
    return {"cluster": job.cluster, "job_id": job.number, "submit_time": submitted}


def _row(token: Token, now: datetime) -> tuple[str, ...]:
    until = _shown(token.ends) if token.ends else "no end"
    return (
        token.id,
        token.name or "-",
        f"over since {until}" if token.is_over(now) else until,
        _shown(token.last_used) if token.last_used else "never",
        str(token.run_as) or "-",
        " ".join(sorted(token.scopes)),
    )


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
