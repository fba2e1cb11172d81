"""The second original's archive, a file of TinyDB's, as samples. Pure."""

from collections.abc import Iterator, Mapping

import msgspec

from waldur_slurm.gateway.load.sample import Sample


def read_archive(document: object) -> tuple[list[Sample], int]:
    """Return the samples of all its tables by their time, and how many are not understood."""
    found: dict[int, Sample] = {}
    unreadable = 0
    for item in _items(document):
        try:
            sample = msgspec.convert(item, Sample)
        except msgspec.ValidationError:
            unreadable += 1
        else:
            found.setdefault(sample.time, sample)
    return [found[time] for time in sorted(found)], unreadable


def _items(document: object) -> Iterator[object]:
    for table in document.values() if isinstance(document, Mapping) else ():
        if isinstance(table, Mapping):
            yield from table.values()
