"""`python3 -m benchmarks`: measures on sites of its own, and judges every figure."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks import report
from benchmarks.daemon import measure_daemon
from benchmarks.demo import measure_demo
from benchmarks.docker import measure_docker
from benchmarks.docs import write_docs
from benchmarks.gateway.measure import PARTS, measure_gateway
from benchmarks.idle_pull import Idling, compare_idle_pulls, idle, measure_idle_pull
from benchmarks.live import measure_live
from benchmarks.new_order import measure_new_order
from benchmarks.one_order import measure_one_order
from benchmarks.operator.measure import measure_operator
from benchmarks.peers.comparison import compare_with_peers
from benchmarks.progress import say
from benchmarks.provisioning import measure_provisioning
from benchmarks.push import measure_push
from benchmarks.rows import Row, Said, exit_code, rows_of, words_of
from benchmarks.scale import Scale
from benchmarks.seeded import seed
from benchmarks.site import running_site

RESULTS = Path(__file__).parents[1] / ".cache" / "bench.json"


def measure_pull(scale: Scale) -> Iterator[Row]:
    """Fill a site by orders, and go on with what it is then."""
    with running_site() as site:
        yield from measure_provisioning(site, scale)
        yield from measure_idle_pull(site, scale.allocations, scale.users_each, scale.runs)
        yield from measure_one_order(site, scale)


def measure_order(scale: Scale) -> Iterator[Row]:
    """A site that is large already, while no cycle runs."""
    with running_site() as site:
        seed(site, scale.allocations, scale.users_each)
        yield from measure_new_order(site, scale)


def measure_large_pull(scale: Scale) -> list[Row]:
    """Two sites of one kind, the one ten times larger than the other."""
    runs = max(2, scale.runs // 2)
    small, large = scale.allocations, scale.many_allocations

    def idling(allocations: int) -> Idling:
        with running_site() as site:
            seed(site, allocations, scale.users_each)
            return idle(site, allocations, scale.users_each, runs)

    return compare_idle_pulls(idling(small), idling(large), large / small)


MEASUREMENTS: Mapping[str, Callable[[Scale], Iterable[Said]]] = {
    "pull": measure_pull,
    "order": measure_order,
    "large-pull": measure_large_pull,
    "push": measure_push,
    "docker": measure_docker,
    "daemon": measure_daemon,
    "live": measure_live,
    "gateway": measure_gateway,
    "operator": measure_operator,
    "demo": measure_demo,
    "peers": lambda _scale: compare_with_peers(),
}
NOT_QUICK = ("peers",)


def _all(*, quick: bool) -> list[str]:
    return [name for name in MEASUREMENTS if not (quick and name in NOT_QUICK)]


def main() -> int:
    arguments = _parsed()
    scale = Scale().tenth() if arguments.quick else Scale()
    told: dict[str, list[Said]] = {}
    for name in arguments.measurements or _all(quick=arguments.quick):
        say(f"== {name}")
        told[name] = [*_measure(name, scale)]
    everything = [each for said in told.values() for each in said]
    rows = rows_of(everything)
    report.show(rows, words_of(everything))
    report.write(rows, RESULTS)
    if arguments.write_docs:
        write_docs(told, _typed(arguments))
    return exit_code(everything)


def _typed(arguments: argparse.Namespace) -> str:
    """What one types to have it again."""
    chosen = " ".join(arguments.measurements)
    words = ("make bench", arguments.quick and "QUICK=1", chosen and f'ARGS="{chosen}"')
    return " ".join(word for word in words if word)


def _measure(name: str, scale: Scale) -> Iterable[Said]:
    whole, slash, part = name.partition("/")
    return measure_gateway(scale, [part]) if slash else MEASUREMENTS[whole](scale)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, no peers")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the table into docs/benchmarks.md"
    )
    parser.add_argument(
        "measurements", nargs="*", metavar="MEASUREMENT", help=f"{', '.join(MEASUREMENTS)}; or all"
    )
    arguments = parser.parse_args()
    parts = {f"gateway/{part}" for part in PARTS}
    if unknown := set(arguments.measurements) - MEASUREMENTS.keys() - parts:
        known = ", ".join((*MEASUREMENTS, *sorted(parts)))
        parser.error(f"no measurement {', '.join(sorted(unknown))}: {known}")
    if arguments.write_docs and parts & {*arguments.measurements}:
        parser.error("a part of a measurement has no place in docs/benchmarks.md")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
