"""Letters in the database."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from waldur_slurm.gateway.post.letter import Facts, Letter, Method, Occasion, Stage
from waldur_slurm.gateway.post.plan import never
from waldur_slurm.gateway.post.port import Sought, Tally
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood

_PARAMETERS = msgspec.json.Decoder(dict[str, str]).decode
_FACTS = msgspec.json.Decoder(Facts | None).decode


def add_letter(connection: sqlite3.Connection, letter: Letter) -> bool:
    """Write it down within the transaction that writes down what it tells of."""
    return connection.execute(QUERIES["add_letter"], _row(letter)).rowcount == 1


def letters_of(connection: sqlite3.Connection, monitor: str) -> tuple[Letter, ...]:
    """Return all of one monitor that are kept, the newest first."""
    rows = connection.execute(QUERIES["letters_of_monitor"], {"monitor": monitor}).fetchall()
    return tuple(_letter(*row) for row in rows)


class StoredLetters:
    """`post.port.Letters`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, letter: Letter) -> bool:
        return self._database.write(lambda connection: add_letter(connection, letter))

    def heads(self, now: datetime) -> Sequence[Letter]:
        return self._letters("letter_heads", {"now": second(now), "never": second(never(now))})

    def claim(self, letter: Letter, now: datetime, until: datetime) -> bool:
        row = {"now": second(now), "never": second(never(now)), "until": second(until)}
        return self._change("claim_letter", {"message_id": letter.message_id, **row}) == 1

    def note(self, letter: Letter) -> None:
        self._change("note_letter", _row(letter))

    def latest(self, limit: int) -> Sequence[Letter]:
        return self._letters("latest_letters", {"limit": limit})

    def search(self, sought: Sought, limit: int) -> Sequence[tuple[int, Letter]]:
        row: dict[str, object] = {
            "owner": sought.owner,
            "users": None if sought.users is None else json.dumps([*sought.users]),
            "stage": sought.stage,
            "message_id": sought.message_id,
            "before": sought.before,
            "limit": limit,
        }
        rows = self._rows("search_letters", row)
        return tuple((int(number), _letter(*each)) for number, *each in rows)

    def try_again(self, letter: Letter, now: datetime) -> bool:
        row = {"message_id": letter.message_id, "now": second(now)}
        return self._change("try_letter_again", row) == 1

    def tally(self) -> Tally:
        rows = {
            Stage(stage): (int(count), int(oldest))
            for stage, count, oldest in self._rows("letter_tally", {})
        }
        waiting = rows.get(Stage.WAITING)
        counts = {stage: count for stage, (count, _) in rows.items()}
        return Tally(counts, waiting and moment_of(waiting[1]))

    def forget(self, before: datetime) -> None:
        self._change("forget_letters", {"before": second(before)})

    def _change(self, query: str, row: dict[str, object]) -> int:
        return self._database.write(
            lambda connection: connection.execute(QUERIES[query], row).rowcount
        )

    def _letters(self, query: str, row: dict[str, object]) -> tuple[Letter, ...]:
        return tuple(_letter(*each) for each in self._rows(query, row))

    def _rows(self, query: str, row: dict[str, object]) -> list[tuple[Any, ...]]:
        return self._database.read(
            lambda connection: connection.execute(QUERIES[query], row).fetchall()
        )


def _row(letter: Letter) -> dict[str, object]:
    return {
        "message_id": letter.message_id,
        "monitor": letter.monitor,
        "owner": letter.owner,
        "event": letter.event,
        "method": letter.method,
        "place": letter.sink.place,
        "parameters": msgspec.json.encode(letter.parameters).decode(),
        "facts": msgspec.json.encode(letter.facts).decode(),
        "made": second(letter.made),
        "next_try": second(letter.next_try),
        "tries": letter.tries,
        "stage": letter.stage,
        "last_words": letter.last_words,
    }


@understood
def _letter(
    message_id: str,
    monitor: str,
    owner: str,
    event: str,
    method: str,
    parameters: str,
    facts: str,
    made: int,
    next_try: int,
    tries: int,
    stage: str,
    last_words: str,
) -> Letter:
    return Letter(
        message_id=message_id,
        monitor=monitor,
        owner=owner,
        event=Occasion(event),
        method=Method(method),
        parameters=_PARAMETERS(parameters),
        facts=_FACTS(facts),
        made=moment_of(made),
        next_try=moment_of(next_try),
        tries=tries,
        stage=Stage(stage),
        last_words=last_words,
    )
