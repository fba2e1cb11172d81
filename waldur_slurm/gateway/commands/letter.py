"""`slurm-gateway letter`: sends a letter to try the settings, and shows what became of letters."""

import argparse
from datetime import UTC, datetime
from secrets import token_hex

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion, Stage
from waldur_slurm.gateway.post.plan import LEASE
from waldur_slurm.gateway.posting import NEEDS
from waldur_slurm.service.program import TRY_AGAIN

_TO = {
    Method.EMAIL: "recipient",
    Method.GMAIL: "recipient",
    Method.SLACK: "channel",
    Method.RABBITMQ: "queue",
    Method.APPRISE: "target",
    Method.WEBHOOK: "url",
}


def run(parts: Parts, arguments: argparse.Namespace) -> int:
    if arguments.verb == "test":
        return _try(parts, arguments)
    _list(parts, arguments)
    return 0


def _try(parts: Parts, arguments: argparse.Namespace) -> int:
    """Send it at once. It is born claimed, so that a gateway that runs does not send it as well."""
    method: Method = arguments.method
    if method not in parts.postman.senders:
        raise SettingsError([f"{NEEDS[method]} is not set; letters by {method} need it"])
    now = datetime.now(UTC)
    message_id = token_hex(16)
    letter = Letter(
        message_id=message_id,
        monitor=f"trial-{message_id}",
        event=Occasion.TRIAL,
        method=method,
        parameters={_TO[method]: arguments.to} if arguments.to and method in _TO else {},
        made=now,
        next_try=now + LEASE,
    )
    parts.letters.add(letter)
    posted = parts.postman.post(letter)
    match posted.stage:
        case Stage.DELIVERED:
            parts.display.line(f"The letter {message_id} was taken by {method}.")
            return 0
        case Stage.DEAD:
            parts.display.line(f"The letter {message_id} is refused: {posted.last_words}")
            return 1
        case Stage.WAITING:
            parts.display.line(f"The letter {message_id} was not taken: {posted.last_words}")
            parts.display.line("A gateway that runs with these settings tries it for a day.")
            return TRY_AGAIN


def _list(parts: Parts, arguments: argparse.Namespace) -> None:
    letters = parts.letters.latest(arguments.last)
    if arguments.json:
        parts.display.json([_as_json(letter) for letter in letters])
        return
    columns = ("letter", "made", "event", "by", "to", "tries", "is", "next try", "why")
    parts.display.table(columns, [_row(letter) for letter in letters])


def _as_json(letter: Letter) -> dict[str, object]:
    return {
        "message_id": letter.message_id,
        "monitor": letter.monitor,
        "event": letter.event,
        "method": letter.method,
        "to": _to(letter),
        "made": _shown(letter.made),
        "tries": letter.tries,
        "stage": letter.stage,
        "next_try": _shown(letter.next_try) if letter.stage is Stage.WAITING else None,
        "last_words": letter.last_words,
    }


def _row(letter: Letter) -> tuple[str, ...]:
    shown = _as_json(letter)
    names = ("message_id", "made", "event", "method", "to", "tries", "stage", "next_try")
    cells = (shown[name] for name in names)
    return (*(str(cell or "-") for cell in cells), letter.last_words)


def _to(letter: Letter) -> str:
    """Leave out what stands behind a program's address: often it is a token."""
    told = letter.parameters.get(_TO.get(letter.method, ""), "")
    return told.partition("?")[0] if letter.method is Method.WEBHOOK else told


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
