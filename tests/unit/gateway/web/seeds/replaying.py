"""Asks a recorded exchange again, of a gateway in the state that it was recorded in."""

from dataclasses import replace

import msgspec

from tests.fakes.past import FakeHistory
from tests.fakes.samples import FakeSamples
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import GatewaySite
from tests.unit.gateway.web.seeds.recorded import (
    EXCHANGES,
    WHEN,
    Exchange,
    RecordedCluster,
    recorded,
    recorded_cluster,
    recorded_history,
)
from waldur_slurm.gateway.load.sample import Sample
from waldur_slurm.gateway.records.sacct import SacctRecords
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.model.job_state import JobState

LOADS_NOW = 1_796_002_768
"""When the archive was asked: all its answers fit this second."""

CASES = {each.case: each for each in EXCHANGES}
DATA = [
    each
    for each in EXCHANGES
    if each.response["content_type"] == "application/json" and "data" in each.json
]
BY_HAND = (
    ("state column set to 11", 16, "OUT_OF_MEMORY"),
    ("state column set to 10", 17, "DEADLINE"),
)


def site_of(exchange: Exchange) -> GatewaySite:
    """A gateway in the exchange's state, with the settings that the original had then."""
    state = exchange.state
    queue = exchange.case if exchange.path == "/queue" and exchange in DATA else "queue"
    cluster, history = recorded_cluster(queue), recorded_history()
    samples = FakeSamples()
    loads = recorded("load time=86400 (front end)")
    samples.add_all("lab", msgspec.convert(loads, list[Sample]))
    restapi = RestApi(wait_s=5, clock=lambda: LOADS_NOW, has_index=state == "serve_index")
    records = {"lab": SacctRecords(history, now=lambda: WHEN)}
    if state.startswith("default configuration"):
        restapi = replace(restapi, has_accounting=False)
    elif state.startswith("filter.partitions: secret"):
        restapi = replace(restapi, hidden=frozenset({"secret"}))
    if "access_control_allow_origin" in exchange.response:
        restapi = replace(restapi, origins=frozenset({"*"}))
    restapi = replace(restapi, archive=samples, records=records)
    if state.startswith("default configuration"):
        restapi = replace(restapi, archive=None)
    _bring_about(state, cluster, history)
    return GatewaySite(cluster, history, restapi=restapi)


def _bring_about(state: str, cluster: RecordedCluster, history: FakeHistory) -> None:
    if state == "slurmctld stopped":
        cluster.go_down()
    if state.endswith("refuses connections"):
        history.go_down()
    for begins, changed, word in BY_HAND:
        if state.startswith(begins):
            history.runs = [
                replace(run, state=JobState(word)) if run.number == changed else run
                for run in history.runs
            ]


def ask(exchange: Exchange) -> Answered:
    asked = Asked(exchange.path, exchange.method, exchange.headers)
    return site_of(exchange).client().ask(asked)
