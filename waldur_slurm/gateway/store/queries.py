"""All queries of the gateway, by the names that `queries.sql` gives them."""

import re
from collections.abc import Iterator
from importlib.resources import files

_HEADING = re.compile(r"^-- (\w+): .+$", re.MULTILINE)


def named(text: str) -> Iterator[tuple[str, str]]:
    """Cut the file at its headings, `-- name: what it is for`."""
    parts = _HEADING.split(text)[1:]
    for name, query in zip(parts[::2], parts[1::2], strict=True):
        yield name, query.strip()


QUERIES = dict(named((files(__package__) / "queries.sql").read_text(encoding="utf-8")))
