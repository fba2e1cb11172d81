"""Monitors and letters, for `/metrics`; of a database that does not serve there are none."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric

from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.post.letter import Stage as LetterStage
from waldur_slurm.gateway.post.port import Tally
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import stored


async def about_watching(ask: Ask) -> list[Metric]:
    site = ask.site.watching
    if site is None:
        return []
    try:
        monitors, letters = await stored(
            ask, lambda: (site.monitors.counts(), site.letters.tally())
        )
    except NotNow:
        return []
    return [*_of_monitors(monitors), *_of_letters(letters)]


def _of_monitors(counts: Mapping[Stage, int]) -> Iterator[Metric]:
    made = GaugeMetricFamily("slurm_gateway_monitors", "Monitors by stage", labels=["stage"])
    for stage in Stage:
        made.add_metric([stage], counts.get(stage, 0))
    yield made


def _of_letters(tally: Tally) -> Iterator[Metric]:
    made = GaugeMetricFamily("slurm_gateway_letters", "Letters by stage", labels=["stage"])
    for stage in LetterStage:
        made.add_metric([stage], tally.by_stage.get(stage, 0))
    yield made
    if tally.waiting_since is not None:
        says = "When the first of the letters that wait was written"
        waiting = GaugeMetricFamily("slurm_gateway_letter_waiting_timestamp_seconds", says)
        waiting.add_metric([], tally.waiting_since.timestamp())
        yield waiting
