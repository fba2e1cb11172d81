"""What one more watched job and one more stored letter cost."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from benchmarks.gateway.letters import await_looks, watching_site
from benchmarks.gateway.slopes import growth_row
from benchmarks.proc import own_cpu_seconds, peak_megabytes
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from tests.e2e.gateway.watching import WatchGateway, WatchSite
from tests.unit.gateway.post.letters import letter
from waldur_slurm.gateway.post.letter import Stage
from waldur_slurm.gateway.store.letters import add_letter
from waldur_slurm.model.batch import JobId, Task

LOOKS = 8
LISTED = 40


def measure_watched_jobs(scale: Scale) -> Iterator[Row]:
    cpu, memory = [], []
    with watching_site() as (site, _):
        site.ways = {}
        array = site.submit("true", f"--array=0-{scale.watched_jobs - 1}", "--hold").number
        held = 0
        for many in _thirds(scale.watched_jobs):
            say(f"gateway: growth, {many:,} watched jobs")
            site.watch({f"m{task}": JobId(array, Task(task)) for task in range(held, many)})
            held = many
            with site.running() as gateway:
                cpu.append((many, _cpu_of_a_look(gateway)))
                memory.append((many, peak_megabytes(gateway.daemon.process.pid)))
    yield growth_row("one more watched job, own CPU of a look", "us", cpu, 1e6)
    yield growth_row("one more watched job, peak", "kB", memory, 1e3)


def measure_stored_letters(scale: Scale) -> Iterator[Row]:
    cpu, size = [], []
    with watching_site() as (site, _):
        held = 0
        for many in _thirds(scale.letters):
            say(f"gateway: growth, {many:,} stored letters")
            _store(site, held, many)
            held = many
            with site.running() as gateway:
                cpu.append((many, _cpu_of_a_page(gateway)))
            size.append((many, (site.place / "state" / "gateway.sqlite").stat().st_size / 1e6))
    yield growth_row("one more stored letter, own CPU of a page of 100 letters", "us", cpu, 1e6)
    yield growth_row("one more stored letter, in the database", "kB", size, 1e3)


def _thirds(most: int) -> Sequence[int]:
    return (most // 4, most // 2, most)


def _cpu_of_a_look(gateway: WatchGateway) -> float:
    """What the gateway itself takes for one, of some that follow each other."""
    await_looks(gateway, 2)
    pid, looks = gateway.daemon.process.pid, len(gateway.commands("squeue"))
    before = own_cpu_seconds(pid)
    await_looks(gateway, looks + LOOKS)
    return (own_cpu_seconds(pid) - before) / LOOKS


def _cpu_of_a_page(gateway: WatchGateway) -> float:
    pid = gateway.daemon.process.pid
    gateway.get("/api/v1/letters?limit=100")
    before = own_cpu_seconds(pid)
    for _ in range(LISTED):
        gateway.get("/api/v1/letters?limit=100")
    return (own_cpu_seconds(pid) - before) / LISTED


def _store(site: WatchSite, begin: int, end: int) -> None:
    """Write down letters that have arrived, so that nothing sends them."""
    now = datetime.now(UTC).replace(microsecond=0)
    made = replace(letter(), made=now, next_try=now, stage=Stage.DELIVERED)
    with site.stored() as database:
        database.write(
            lambda connection: [
                add_letter(connection, replace(made, message_id=f"l{one}", monitor=f"m{one}"))
                for one in range(begin, end)
            ]
        )
