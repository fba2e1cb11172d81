"""All that is promised of the gateway, in one run; parts of it by their names. The composition."""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from benchmarks.gateway.acting_bed import acting_site
from benchmarks.gateway.answers import measure_answers
from benchmarks.gateway.archives import measure_archives
from benchmarks.gateway.bed import Bed, bed
from benchmarks.gateway.cold import measure_cold
from benchmarks.gateway.endurance import measure_endurance
from benchmarks.gateway.growth import measure_growth
from benchmarks.gateway.letters import measure_letters
from benchmarks.gateway.peers.firecrest import measure_firecrest
from benchmarks.gateway.peers.slurmrestd import measure_slurmrestd
from benchmarks.gateway.refresh import measure_crowd, measure_refresh
from benchmarks.gateway.starting import measure_start
from benchmarks.gateway.streams import measure_streams
from benchmarks.gateway.submit import measure_submit
from benchmarks.progress import say
from benchmarks.rows import NotMeasured, Said
from benchmarks.scale import Scale
from tests.e2e.gateway.acting import ActingSite

Place = TypeVar("Place")
Measure = Callable[[Bed, Scale], Iterable[Said]]

OF_THE_QUEUE: Mapping[str, Measure] = {
    "cold": measure_cold,
    "answers": measure_answers,
    "refresh": measure_refresh,
    "start": measure_start,
    "streams": measure_streams,
    "endurance": measure_endurance,
}
PEERS: Mapping[str, Measure] = {
    "slurmrestd": measure_slurmrestd,
    "firecrest": measure_firecrest,
}
OF_A_LARGE_QUEUE: Mapping[str, Measure] = {
    "refresh": measure_refresh,
    "crowd": measure_crowd,
}
OF_USERS: Mapping[str, Callable[[ActingSite, Scale], Iterable[Said]]] = {
    "submit": measure_submit,
    "archives": measure_archives,
}
OF_ITS_OWN: Mapping[str, Callable[[Scale], Iterable[Said]]] = {
    "letters": measure_letters,
    "growth": measure_growth,
}
PARTS = tuple(dict.fromkeys((*OF_THE_QUEUE, *PEERS, *OF_A_LARGE_QUEUE, *OF_USERS, *OF_ITS_OWN)))


def measure_gateway(scale: Scale, parts: Sequence[str] = ()) -> Iterator[Said]:
    """Without parts all of them, a tenth of a site without the peers."""
    parts = parts or [each for each in PARTS if scale.has_peers or each not in PEERS]
    for jobs, measures in (
        (scale.queued_jobs, {**OF_THE_QUEUE, **PEERS}),
        (scale.many_queued_jobs, OF_A_LARGE_QUEUE),
    ):
        place = f"{jobs:,} jobs"
        yield from _attempted(place, _each(place, bed(jobs), measures, parts, scale))
    place = "users"
    yield from _attempted(place, _each(place, acting_site(), OF_USERS, parts, scale))
    for name, measure in OF_ITS_OWN.items():
        if name in parts:
            say(f"gateway: {name}")
            yield from _attempted(name, measure(scale))


def _each(
    place: str,
    opened: AbstractContextManager[Place],
    measures: Mapping[str, Callable[[Place, Scale], Iterable[Said]]],
    parts: Sequence[str],
    scale: Scale,
) -> Iterator[Said]:
    """Measure on one site what is wanted there, one after the other."""
    wanted = {name: measure for name, measure in measures.items() if name in parts}
    if not wanted:
        return
    with opened as made:
        for name, measure in wanted.items():
            say(f"gateway, {place}: {name}")
            yield from _attempted(name, measure(made, scale))


def _attempted(name: str, told: Iterable[Said]) -> Iterator[Said]:
    """What cannot be measured takes none of the others with it."""
    try:
        yield from told
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said, and the run has failed
        say(traceback.format_exc())
        yield NotMeasured(f"gateway/{name} was not measured: {type(error).__name__}: {error}")
