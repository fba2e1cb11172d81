"""The load's samples in the database."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from waldur_slurm.gateway.load.plan import Span
from waldur_slurm.gateway.load.sample import Sample
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.sqlite import Database

_DECODE = msgspec.json.Decoder(Sample).decode


class StoredSamples:
    """`load.archive.Samples`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, cluster: str, slot: int, sample: Sample) -> bool:
        return self._add([_row(cluster, slot, sample)]) == 1

    def add_all(self, cluster: str, samples: Collection[Sample]) -> int:
        return self._add([_row(cluster, None, sample) for sample in samples])

    def _add(self, rows: Sequence[dict[str, object]]) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return connection.executemany(QUERIES["add_sample"], rows).rowcount

        return self._database.write(work)

    def read(self, cluster: str, span: Span) -> Sequence[Sample]:
        return [_DECODE(text) for (text,) in self._rows("samples_between", cluster, span)]

    def read_newest(self, cluster: str, span: Span) -> Sample | None:
        rows = self._rows("newest_sample", cluster, span)
        return _DECODE(rows[0][0]) if rows else None

    def read_times(self, cluster: str) -> Sequence[int]:
        return [time for (time,) in self._rows("sample_times", cluster)]

    def _rows(self, query: str, cluster: str, span: Span | None = None) -> list[tuple[Any, ...]]:
        wanted = {"cluster": cluster, **(span._asdict() if span else {})}

        def work(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return connection.execute(QUERIES[query], wanted).fetchall()

        return self._database.read(work)

    def drop(self, cluster: str, times: Collection[int]) -> None:
        rows = [{"cluster": cluster, "time": time} for time in times]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(QUERIES["drop_sample"], rows)

        self._database.write(work)


def _row(cluster: str, slot: int | None, sample: Sample) -> dict[str, object]:
    text = msgspec.json.encode(sample).decode()
    return {"cluster": cluster, "time": sample.time, "slot": slot, "sample": text}
