"""A cluster's accounts, its usage and its load; the gateway's version and its page of routes."""

from collections import defaultdict
from typing import Any

import pytest

from tests.fakes.cluster import live_job
from tests.fakes.samples import FakeSamples
from tests.unit.gateway.site import GatewaySite, somebody
from waldur_slurm.gateway.load.sample import PartitionSample, Sample
from waldur_slurm.gateway.web.routes import ROUTES
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.hand.requests import MOST_SCRIPT, MOST_VARIABLES
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import Account, Membership


def account(name: str, parent: str | None) -> Account:
    return Account(AccountName(name), AccountName(parent) if parent else None)


@pytest.fixture
def site() -> GatewaySite:
    made = GatewaySite(restapi=RestApi(archive=FakeSamples()))
    made.history.accounts = (
        account("optics", "physics"),
        account("physics", "root"),
        account("root", None),
        account("biology", "root"),
    )
    made.history.memberships = (
        Membership(1, AccountName("optics"), UserName("ann"), ""),
        Membership(2, AccountName("biology"), UserName("bob"), ""),
        Membership(3, AccountName("physics"), UserName("bob"), "main"),
    )
    return made


def shape(accounts: list[Any]) -> dict[str, Any]:
    return {each["name"]: (each["users"], shape(each["accounts"])) for each in accounts}


def test_accounts_are_a_tree_with_those_who_may_use_them(site: GatewaySite) -> None:
    assert shape(site.get("/api/v1/accounts").json["accounts"]) == {
        "root": (
            [],
            {
                "biology": (["bob"], {}),
                "physics": (["bob"], {"optics": (["ann"], {})}),
            },
        )
    }


def test_who_may_not_see_everybody_sees_what_leads_to_his_own_accounts(site: GatewaySite) -> None:
    assert shape(site.get("/api/v1/accounts", somebody("ann")).json["accounts"]) == {
        "root": ([], {"physics": ([], {"optics": (["ann"], {})})})
    }
    assert site.get("/api/v1/accounts", somebody("eve")).json["accounts"] == []


def test_accounts_and_people_are_two_readings_however_many_ask(site: GatewaySite) -> None:
    for _ in range(20):
        assert site.get("/api/v1/accounts").status == 200
    assert site.history.questions == 2


def test_usage_says_what_a_partitions_jobs_hold_of_each_of_its_nodes(site: GatewaySite) -> None:
    site.cluster.put(live_job(1, cpus=2))
    site.cluster.begin(1)

    (row,) = site.get("/api/v1/usage").json["partitions"]

    cells = {cell["node"]: (cell["cpus"], cell["jobs"]) for cell in row["nodes"]}
    assert (row["partition"], row["cpus_held"]) == ("main", 2)
    assert cells == {"n1": (2, 1), "n2": (0, 0)}


# Load


MIDNIGHT = 1_795_996_800


def sample(time: int, load: float) -> Sample:
    part = PartitionSample(2, 20, 100, 10, 1, 3, 30, load, "UP")
    return Sample(time, load, 10, 100, 2, 20, {"main": part})


@pytest.fixture
def sampled(site: GatewaySite) -> GatewaySite:
    archive = site.restapi.archive
    assert archive
    archive.add_all(
        "lab", [sample(MIDNIGHT + at, load) for at, load in ((0, 0.0), (30, 0.5), (60, 1.0))]
    )
    return site


def test_load_comes_as_a_point_a_step_each_the_mean_of_its_samples(sampled: GatewaySite) -> None:
    answer = sampled.get(f"/api/v1/load?from={MIDNIGHT}&to={MIDNIGHT + 100}&step=60").json

    assert [(point["samples"], point["load"]) for point in answer["points"]] == [
        (2, 0.25),
        (1, 1.0),
    ]
    assert answer["points"][0]["at"] == "2026-11-30T00:00:00Z"
    assert answer["points"][0]["partitions"]["main"]["cpus_held"] == 2


def test_where_nothing_was_sampled_there_is_no_point(sampled: GatewaySite) -> None:
    assert sampled.get("/api/v1/load?from=2026-11-28&to=2026-11-29").json["points"] == []


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-11-30&to=2026-11-29",
        "from=2026-11-01&to=2026-11-30&step=1",
        "from=0",
        "step=0",
        "x=1",
    ],
)
def test_a_load_that_cannot_be_told_is_refused(sampled: GatewaySite, query: str) -> None:
    assert sampled.get(f"/api/v1/load?{query}").status == 400


def test_without_an_archive_there_is_no_load() -> None:
    assert GatewaySite(restapi=RestApi()).get("/api/v1/load").status == 404


# The gateway itself


def test_the_page_of_routes_has_every_native_route_and_nothing_that_runs(site: GatewaySite) -> None:
    answer = site.get("/docs")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in answer.text
    for route in ROUTES:
        if route.path.startswith("/api/") and "{cluster}/" not in route.path:
            assert f"<code>{route.method} {route.path}</code>" in answer.text


def test_the_style_of_the_page_is_the_one_that_its_policy_allows(site: GatewaySite) -> None:
    from base64 import b64encode
    from hashlib import sha256

    answer = site.get("/docs")

    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]


def test_a_cluster_says_how_much_one_request_may_hold(site: GatewaySite) -> None:
    assert site.get("/api/v1/clusters/lab").json["limits"] == {
        "script_bytes": MOST_SCRIPT,
        "variables_bytes": MOST_VARIABLES,
        "lookup_marks": 1000,
        "cancelled_jobs": 1000,
    }


def test_the_document_has_the_headers_that_say_which_job_is_meant(site: GatewaySite) -> None:
    paths = site.get("/api/v1/openapi.json").json["paths"]
    taken: dict[str, set[str]] = defaultdict(set)
    for path, operations in paths.items():
        for method, operation in operations.items():
            for each in operation["parameters"]:
                if each["in"] == "header" and "{cluster}" not in path:
                    taken[each["name"]].add(f"{method} {path.removeprefix('/api/v1/jobs')}")

    verbs = ("hold", "release", "requeue", "requeuehold", "suspend", "resume")
    assert taken["Idempotency-Key"] == {"post ", "post /api/v1/tasks"}
    assert taken["If-Match"] == {
        "delete /{job_id}",
        "patch /{job_id}",
        "get /{job_id}/script",
        *(f"post /{{job_id}}/{verb}" for verb in verbs),
    }


def test_the_version_is_told(site: GatewaySite) -> None:
    from waldur_slurm import __version__

    assert site.get("/version").json == {"version": __version__}
