"""The metrics: events counted, and what stood at the end of the last cycle.

A label is one of few constant words: never an account, a user, a uuid or a text. The library is
imported with this module, which is imported only where AGENT_HTTP_LISTEN is set.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import PurePath

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from waldur_slurm.agent.report.standing import Standing
from waldur_slurm.telemetry.events import Event, Level

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ORDERS = ("approved", "rejected", "erred", "done")
_CYCLES = ("ok", "partial", "failed", "crashed")
_CYCLE_BUCKETS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_CALL_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """A sink that counts; `exposition` is what Prometheus reads."""

    def __init__(
        self,
        *,
        version: str,
        direction: str,
        interval_s: float,
        is_ready: Callable[[], bool],
        now: Callable[[], float] = time.time,
    ) -> None:
        # Otherwise the library adds a `_created` series, which nobody reads, to each counter.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library forgot to say
        self._direction = direction
        self._now = now
        self._about = {"version": version, "direction": direction}
        self._standing = _StandingCollector()
        self._registry = CollectorRegistry()
        self._registry.register(self._standing)
        ProcessCollector(registry=self._registry)

        self._info = Info("agent", "The agent and the Waldur it found.", registry=self._registry)
        self._info.info({**self._about, "dialect": ""})
        self._gauge("agent_interval_seconds", "From one start to the next.").set(interval_s)
        ready = self._gauge("agent_ready", "Whether /readyz says yes: cycles end well in time.")
        ready.set_function(lambda: float(is_ready()))
        self._last_success = self._gauge(
            "agent_last_success_timestamp_seconds",
            "When a cycle last came to its end; no value before the first.",
            "direction",
        )
        self._cycles = self._histogram(
            "agent_cycle_seconds",
            "Cycles; partial: it came to its end, but single items failed.",
            _CYCLE_BUCKETS,
            "outcome",
        )
        self._looks = self._histogram(
            "agent_look_seconds",
            "Pull's looks at new orders between cycles; passed on: a cycle followed at once.",
            _CYCLE_BUCKETS,
            "outcome",
        )
        self._phases = self._histogram(
            "agent_cycle_phase_seconds", "Parts of a cycle.", _CYCLE_BUCKETS, "phase"
        )
        self._commands = self._histogram(
            "agent_slurm_command_seconds",
            "Commands; failed: with an exit code, unfinished: without one.",
            _CALL_BUCKETS,
            "command",
            "outcome",
        )
        self._requests = self._histogram(
            "agent_waldur_request_seconds",
            "Requests to Waldur by the class of the answer's status, or unanswered.",
            _CALL_BUCKETS,
            "method",
            "outcome",
        )
        self._orders = self._counter(
            "agent_orders", "What the agent told Waldur of orders.", "outcome"
        )
        self._events = self._counter(
            "agent_events", "The log from INFO on, by its constant names.", "event", "level"
        )
        # Start each at zero, so that the first event shows as an increase.
        for outcome in _CYCLES:
            self._cycles.labels(outcome)
        for outcome in _ORDERS:
            self._orders.labels(outcome)

    def __call__(self, event: Event) -> None:
        self._count(event)
        match event:
            case Event(name="slurm.command", fields={"command": str(line), "code": code, **rest}):
                command = PurePath(line.partition(" ")[0]).name
                self._commands.labels(command, _of_command(code)).observe(_seconds(rest))
            case Event(name="waldur.request", fields={"request": str(line), "status": s, **rest}):
                method = line.partition(" ")[0]
                self._requests.labels(method, _of_request(s)).observe(_seconds(rest))
            case Event(name="cycle.phase", fields={"phase": str(phase), **rest}):
                self._phases.labels(phase).observe(_seconds(rest))
            case Event(name="look.ended", fields={"outcome": str(outcome), **rest}):
                self._looks.labels(outcome).observe(_seconds(rest))
            case Event(name="cycle.ended", fields={"outcome": str(outcome), **rest}):
                self._note_end(outcome, _seconds(rest), rest.get("standing"))
            case Event(name="waldur.dialect_found", fields={"dialect": str(dialect)}):
                self._info.info({**self._about, "dialect": dialect})
            case _:
                pass

    def _count(self, event: Event) -> None:
        if event.level >= Level.INFO:
            self._events.labels(event.name, event.level.name.lower()).inc()
        if event.name.startswith("order.") and event.is_change:
            self._orders.labels(event.name.removeprefix("order.")).inc()

    def exposition(self) -> bytes:
        return generate_latest(self._registry)

    def _note_end(self, outcome: str, seconds: float, standing: object) -> None:
        self._cycles.labels(outcome).observe(seconds)
        if isinstance(standing, Standing):
            self._standing.shown = standing
            self._last_success.labels(self._direction).set(self._now())

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self._registry)


class _StandingCollector(Collector):
    """Shows one cycle's `Standing` whole, so that nothing of an earlier one is left over."""

    def __init__(self) -> None:
        self.shown: Standing | None = None

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        if self.shown is not None:
            yield from _families(self.shown)


def _families(standing: Standing) -> Iterator[Metric]:
    yield _one(
        "agent_brake_active",
        "Whether removals are held back until a person looks.",
        int(standing.is_brake_active),
    )
    yield _many("agent_drift", "Differences that are only shown.", "kind", standing.drift)
    yield _many("agent_refused", "What is wanted and was not done.", "kind", standing.refused)
    if standing.quarantined is not None:
        yield _one("agent_quarantined", "Items left alone after they failed.", standing.quarantined)
    if standing.members_without_access is not None:
        yield _many(
            "agent_members_without_access",
            "Members of teams who are not let in, by what they lack.",
            "reason",
            standing.members_without_access,
        )
    if standing.unreported is not None:
        yield _many(
            "agent_unreported_usage",
            "What closed months lack or have too much in Waldur, in its units.",
            "component",
            standing.unreported,
        )
    if standing.usage_of_unknown_users is not None:
        yield _one(
            "agent_usage_of_unknown_users",
            "People with usage whom Waldur does not know; their account's total has it.",
            standing.usage_of_unknown_users,
        )
    if standing.runaway_jobs is not None:
        yield _one(
            "agent_runaway_jobs",
            "Jobs without an end that slurmctld does not know.",
            standing.runaway_jobs,
        )
    if standing.erred_resources is not None:
        yield _one(
            "agent_erred_resources",
            "Resources that stay Erred in Waldur, which takes no usage of them.",
            standing.erred_resources,
        )


def _one(name: str, text: str, value: int) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _many(name: str, text: str, label: str, counts: Mapping[str, int | Decimal]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, amount in sorted(counts.items()):
        family.add_metric([word], float(amount))
    return family


def _seconds(fields: dict[str, object]) -> float:
    seconds = fields.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _of_command(code: object) -> str:
    if code is None:
        return "unfinished"
    return "ok" if code == 0 else "failed"


def _of_request(status: object) -> str:
    return f"{status // 100}xx" if isinstance(status, int) else "unanswered"
