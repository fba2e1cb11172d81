"""The second original's surface beyond its recordings: doors, silence, hidden partitions."""

import asyncio
import gzip
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_network
from threading import Event

import pytest

from tests.fakes.cluster import live_job
from tests.fakes.samples import FakeSamples
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import ADMIN, EVERYTHING, GatewaySite, somebody
from tests.unit.gateway.web.doors_site import DoorsSite
from tests.unit.gateway.web.seeds.recorded import recorded_cluster, recorded_history
from waldur_slurm.gateway.doors.networks import TrustedNetwork
from waldur_slurm.gateway.doors.principals import NOBODY, Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.strangers import Allowed
from waldur_slurm.gateway.load.plan import Span
from waldur_slurm.gateway.load.sample import PartitionSample, Sample
from waldur_slurm.gateway.records.sacct import SacctRecords
from waldur_slurm.gateway.web.questions import PATIENCE_S
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.model.batch import Component, JobId
from waldur_slurm.model.live import ExitCode

NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
ROUTES = {
    "/users": Scope.ACCOUNTS_READ,
    "/history": Scope.HISTORY_READ,
    "/queue": Scope.JOBS_READ,
    "/partitions": Scope.CLUSTER_READ,
    "/nodes": Scope.CLUSTER_READ,
    "/usage": Scope.CLUSTER_READ,
    "/stats": Scope.CLUSTER_READ,
    "/load": Scope.CLUSTER_READ,
}
SECRET = frozenset({"secret"})


def site(**told: object) -> GatewaySite:
    history = recorded_history()
    restapi = RestApi(
        records={"lab": SacctRecords(history, now=lambda: NOW)},
        archive=FakeSamples(),
        clock=NOW.timestamp,
    )
    restapi = replace(restapi, **told)  # type: ignore[arg-type]  # a typo fails at once
    return GatewaySite(recorded_cluster(), history, restapi=restapi)


def numbers(answered: Answered) -> set[str]:
    data = answered.json["data"]
    return {*data} if isinstance(data, dict) else {str(each["id_job"]) for each in data}


@pytest.mark.parametrize("path", ROUTES)
def test_nobody_sees_anything_without_its_scope(path: str) -> None:
    gateway = site()
    refused = gateway.get(path, NOBODY)
    assert refused.status == 401
    assert "www-authenticate" in refused.headers
    assert [*refused.json] == ["errors"]
    too_little = somebody("alice", scopes=EVERYTHING - {ROUTES[path], Scope.JOBS_READ_ALL})
    assert gateway.get(path, too_little).status == 403
    just_enough = somebody("alice", scopes={ROUTES[path]})
    assert gateway.get(path, just_enough).status == 200


@pytest.mark.parametrize("path", ["/queue", "/history"])
def test_who_may_not_see_others_jobs_sees_his_own(path: str) -> None:
    gateway = site()
    everything = numbers(gateway.get(f"{path}?limit=1000"))
    own = numbers(gateway.get(f"{path}?limit=1000", somebody("alice")))
    assert "22" in own < everything
    assert numbers(gateway.get(f"{path}?limit=1000", somebody())) == set()
    assert numbers(gateway.get(f"{path}?limit=1000&user=bob", somebody("dana"))).isdisjoint(
        numbers(gateway.get("/history?limit=1000&user=bob"))
    )


@pytest.mark.parametrize("path", ["/queue", "/nodes", "/partitions", "/usage", "/stats"])
def test_a_silent_slurm_is_503_with_its_words_and_when_to_ask_again(path: str) -> None:
    gateway = site()
    gateway.cluster.go_down()
    answered = gateway.get(path)
    assert answered.status == 503
    assert int(answered.headers["retry-after"]) >= 1
    (error,) = answered.json["errors"]
    assert "Unable to contact slurm controller" in error["meta"]["args"][0]


def test_the_last_picture_of_a_silent_slurm_is_shown_and_marked() -> None:
    gateway = site()
    before = gateway.get("/nodes").json
    gateway.cluster.go_down()
    gateway.pictures.nodes.renew()
    answered = gateway.get("/nodes")
    assert (answered.status, answered.json) == (200, before)
    assert "Slurm does not answer" in answered.headers["warning"]


@pytest.mark.parametrize("path", ["/users", "/history"])
def test_a_silent_accounting_is_503(path: str) -> None:
    gateway = site()
    gateway.history.go_down()
    assert gateway.get(path).status == 503


@pytest.mark.parametrize("path", ["/users", "/history"])
def test_nobody_waits_longer_than_30_s_for_an_accounting_that_hangs(path: str) -> None:
    gateway = replace(site(), patience_s=0.05)
    gateway.history.may_answer = may_answer = Event()

    async def ask() -> Answered:
        told = await gateway.client().one(Asked(path))
        may_answer.set()
        return told

    told = asyncio.run(ask())

    assert PATIENCE_S == 30
    assert (told.status, told.headers["retry-after"]) == (503, "5")
    assert "has not answered within" in told.text


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ({"has_accounting": False}, "/users"),
        ({"has_accounting": False}, "/history"),
        ({"archive": None}, "/load"),
        ({"has_index": False}, "/"),
        ({}, "/queue/"),
    ],
)
def test_what_is_switched_off_is_not_there(told: Mapping[str, object], path: str) -> None:
    answered = site(**told).get(path)
    assert answered.status == 404
    assert answered.headers["content-type"].startswith("text/html")


def test_whoever_has_the_answer_already_is_not_sent_it_again() -> None:
    gateway = site()
    first = gateway.get("/queue")
    again = gateway.get("/queue", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert gateway.get("/queue", somebody("alice")).headers["etag"] != first.headers["etag"]


def test_a_long_queue_is_kept_packed_and_is_the_same_for_who_does_not_take_it_so() -> None:
    gateway = site()
    for number in range(1000, 2000):
        gateway.cluster.put(live_job(number))
    plain = gateway.get("/queue")
    kept = gateway.site.bodies.size
    packed = gateway.get("/queue", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert kept == gateway.site.bodies.size == len(packed.body) < len(plain.body) / 20


def test_many_who_ask_at_once_cost_slurm_one_reading() -> None:
    gateway = site()
    answers = gateway.client().together([Asked("/usage") for _ in range(20)])
    assert {each.status for each in answers} == {200}
    assert gateway.cluster.calls["read_jobs"] == 1
    assert gateway.cluster.calls["read_details"] == 1


def test_hidden_partitions_are_left_out_of_the_rows_alone() -> None:
    gateway = site(hidden=SECRET)
    assert "secret" not in gateway.get("/partitions").json["data"]
    assert "secret" not in gateway.get("/usage").json["data"]["partitions"]
    assert {"82", "83"} <= numbers(gateway.get("/queue"))
    assert {"82", "83"} <= numbers(gateway.get("/history"))


def test_hidden_everywhere_leaves_their_jobs_and_nodes_out_too() -> None:
    gateway = site(hidden=SECRET, hides_everywhere=True)
    gateway.cluster.nodes["n5"] = replace(gateway.cluster.nodes["n4"], partitions=("secret",))
    assert numbers(gateway.get("/queue")).isdisjoint({"82", "83"})
    assert numbers(gateway.get("/history")).isdisjoint({"82", "83"})
    assert [*gateway.get("/nodes").json["data"]] == ["n1", "n2", "n3", "n4"]


def test_a_job_that_may_go_to_a_partition_that_is_shown_is_shown() -> None:
    gateway = site(hidden=SECRET, hides_everywhere=True)
    gateway.cluster.put(live_job(900, partition="main,secret"))
    assert "900" in numbers(gateway.get("/queue"))


def test_a_component_of_a_heterogeneous_job_has_both_names_of_it() -> None:
    gateway = site()
    gateway.cluster.put(live_job(901, id=JobId(900, Component(1))))
    found = gateway.get("/queue").json["data"]["901"]
    assert (found["het_job_id"], found["het_job_offset"]) == (900, 1)
    assert (found["pack_job_id"], found["pack_job_offset"]) == (900, 1)


def test_of_a_job_that_may_be_forgotten_the_queue_alone_tells() -> None:
    gateway = site()
    gateway.cluster.configuration["MinJobAge"] = "300 sec"
    long_ago = live_job(902, state="FAILED", end=NOW.replace(year=2020), exit=ExitCode(3, 0))
    gateway.cluster.put(long_ago)
    gateway.cluster.put(long_ago._replace(number=903, id=JobId(903), end=datetime.now(UTC)))
    gone, there = (gateway.get("/queue").json["data"][number] for number in ("902", "903"))

    assert (gone["exit_code"], gone["pn_min_memory"], gone["shared"]) == ("3:0", None, None)
    assert (there["exit_code"], there["pn_min_memory"], there["shared"]) == ("3:0", 10, "OK")


def test_a_configuration_that_is_silent_takes_the_details_of_ended_jobs_alone() -> None:
    gateway = site()
    gateway.cluster.put(live_job(902, state="FAILED", end=datetime.now(UTC)))
    gateway.cluster.put(live_job(903, state="RUNNING"))
    gateway.cluster.silent.add("read_configuration")
    answer = gateway.get("/queue")

    assert answer.status == 200
    found = answer.json["data"]
    assert (found["902"]["shared"], found["903"]["shared"]) == (None, "OK")


def test_a_job_whose_details_somebody_forges_has_null_and_changes_no_other() -> None:
    gateway = site()
    before = gateway.get("/queue").json["data"]
    gateway = site()
    gateway.cluster.put(live_job(900))
    gateway.cluster.forged.add(900)
    found = gateway.get("/queue").json["data"]

    assert found.pop("900")["min_memory_node"] is None
    assert found == before


def test_hostile_text_stays_text() -> None:
    text = 'x"},"1":{"user_name":"root\n|\x01☃'
    gateway = site()
    gateway.cluster.put(live_job(900, name=text, comment=text))
    found = gateway.get("/queue").json["data"]
    assert found["900"]["name"] == found["900"]["comment"] == text
    assert "1" not in found


def test_load_leaves_hidden_partitions_out() -> None:
    part = PartitionSample(1, 1, 1, 1, 1, 1, 1, 0.5, "UP")
    kept = Sample(int(NOW.timestamp()), 0.5, 1, 1, 1, 1, {"main": part, "secret": part})
    samples = FakeSamples()
    samples.add("lab", 1, kept)
    (found,) = site(archive=samples, hidden=SECRET).get("/load").json["data"]
    assert [*found["partitions"]] == ["main"]
    assert samples.read("lab", Span(0, 2**40)) == [kept]


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ({"*"}, "https://a.example.org", "https://a.example.org"),
        ({"*"}, "", "*"),
        ({"https://a.example.org"}, "https://a.example.org", "https://a.example.org"),
        ({"https://a.example.org"}, "https://b.example.org", None),
        (set(), "https://a.example.org", None),
    ],
)
def test_only_pages_that_are_named_may_read(
    origins: set[str], origin: str, allowed: str | None
) -> None:
    headers = [("Origin", origin)] if origin else []
    answered = site(origins=frozenset(origins)).client().ask(Asked("/nodes", headers=headers))
    assert answered.headers.get("access-control-allow-origin") == allowed
    assert "access-control-allow-credentials" not in answered.headers


def test_a_token_is_taken_from_pages_that_are_named_and_never_from_any() -> None:
    asked = Asked(
        "/nodes",
        "OPTIONS",
        [("Origin", "https://a.example.org"), ("Access-Control-Request-Method", "GET")],
    )
    named = site(origins=frozenset({"https://a.example.org"})).client().ask(asked)
    anybody = site(origins=frozenset({"*"})).client().ask(asked)
    assert (named.status, anybody.status) == (200, 200)
    assert "Authorization" in named.headers["access-control-allow-headers"]
    assert "access-control-allow-headers" not in anybody.headers


def test_a_page_of_any_site_reads_the_originals_routes_and_no_others() -> None:
    """The doors refuse other sites' pages; these routes alone are opened to them."""
    gateway = GatewaySite(restapi=RestApi(origins=frozenset({"*"})))
    allowed = Allowed(anybody=frozenset({Scope.CLUSTER_READ, Scope.JOBS_READ_ALL}))
    doors = DoorsSite(allowed, gateway=gateway)
    headers = [("host", "127.0.0.1:8040"), ("origin", "https://a.example.org")]
    answers = [
        doors.client.ask(Asked(path, headers=headers)) for path in ("/nodes", "/api/v1/nodes")
    ]
    assert [each.status for each in answers] == [200, 403]


def test_a_page_of_any_site_has_nothing_of_the_network_that_its_reader_asks_from() -> None:
    network = TrustedNetwork(ip_network("10.1.0.0/16"), frozenset({Scope.CLUSTER_READ}))
    named = "https://named.example.org"
    allowed = Allowed(networks=(network,), origins=frozenset({named}))
    gateway = GatewaySite(restapi=RestApi(origins=frozenset({"*", named})))
    client = DoorsSite(allowed, gateway=gateway).client
    statuses = {}
    for page in ("", named, "https://a.example.org"):
        headers = [("host", "127.0.0.1:8040"), *([("origin", page)] if page else [])]
        asked = Asked("/nodes", headers=headers, client=("10.1.2.3", 4000))
        statuses[page] = client.ask(asked).status

    assert statuses == {"": 200, named: 200, "https://a.example.org": 401}


def test_what_is_not_the_originals_is_not_opened_to_other_pages() -> None:
    gateway = site(origins=frozenset({"*"}))
    answered = gateway.client().ask(
        Asked("/api/v1/jobs", headers=[("Origin", "https://a.example.org")])
    )
    assert "access-control-allow-origin" not in answered.headers


def test_the_page_tries_the_eight_routes() -> None:
    page = site(has_index=True).get("/")
    assert page.status == 200
    assert all(f'"{path[1:]}"' in page.text for path in ROUTES)


def test_the_page_runs_its_own_script_alone() -> None:
    page = site(has_index=True).get("/")
    policy = page.headers["content-security-policy"]
    script = page.text.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert "<script>" not in script


FRONT_END_NODE = {"state", "alloc_cpus", "cpus", "alloc_mem", "real_memory"}
FRONT_END_CELL = {
    "active",
    "total_used_cpus",
    "total_cpus",
    "total_used_mem",
    "total_memory",
    "running_jobs",
    "cpus_allocated",
    "mem_allocated",
}
FRONT_END_SAMPLE = {
    "time",
    "total_load",
    "alloc_cpus",
    "total_cpus",
    "alloc_mem",
    "total_mem",
    "partitions",
}
FRONT_END_PARTITION = {"partition_load", "alloc_cpus", "alloc_mem"}


def test_the_original_front_end_finds_every_key_that_it_reads() -> None:
    part = PartitionSample(1, 1, 1, 1, 1, 1, 1, 0.5, "UP")
    samples = FakeSamples()
    samples.add("lab", 1, Sample(int(NOW.timestamp()), 0.5, 1, 1, 1, 1, {"main": part}))
    gateway = site(archive=samples, origins=frozenset({"*"}))
    for node in gateway.get("/nodes").json["data"].values():
        assert node.keys() >= FRONT_END_NODE
    rows = gateway.get("/usage").json["data"]["partitions"].values()
    for row in rows:
        assert isinstance(row["priority"], int)
        for cell in row["nodes"].values():
            assert cell == {"active": False} or cell.keys() >= FRONT_END_CELL
    assert len({tuple(row["nodes"]) for row in rows}) == 1
    (sample,) = gateway.get("/load?time=86400&offset=0").json["data"]
    assert sample.keys() >= FRONT_END_SAMPLE
    assert sample["partitions"]["main"].keys() >= FRONT_END_PARTITION


@pytest.mark.parametrize("principal", [ADMIN, somebody("alice")], ids=["admin", "alice"])
def test_no_route_of_it_crashes(principal: Principal) -> None:
    gateway = site(has_index=True)
    for path in ("/", *ROUTES, *(f"{path}?x=%00%ff&limit=&time=" for path in ROUTES)):
        gateway.get(path, principal)
    assert gateway.errors() == []
