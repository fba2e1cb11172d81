"""What a cluster consists of, how full it is and was, what was: each as a page."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.cluster import idle_node
from tests.fakes.past import past_run
from tests.fakes.samples import FakeSamples
from tests.unit.gateway.web.pages.pages_site import OWN, Browser, PagesSite
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.load.sample import Sample
from waldur_slurm.model.cluster import NodeState, Why
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import Account, Membership

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def site() -> PagesSite:
    made = PagesSite()
    made.put(1, name="of Ann", hosts="n1")
    made.put(2, "bob", name="of Bob", hosts="n1")
    made.gateway.cluster.nodes["n2"] = replace(
        idle_node("n2"), state=NodeState("IDLE", ("DRAIN",)), why=Why("a <b>fan</b>", "root", NOW)
    )
    for number, user in ((7, "ann"), (8, "bob")):
        submitted = NOW - timedelta(hours=2)
        made.gateway.history.runs.append(
            past_run(
                number,
                user=UserName(user),
                name=f"=old of {user}",
                submitted=submitted,
                start=submitted,
                end=NOW - timedelta(hours=1),
                elapsed_s=3600,
                cpus=4,
            )
        )
    return made


@pytest.fixture
def anns(site: PagesSite) -> Browser:
    return site.signed_in()


@pytest.fixture
def admins(site: PagesSite) -> Browser:
    return site.signed_in(Scope, "ann")


def test_nodes_are_filtered_by_state_name_and_reason(anns: Browser) -> None:
    def listed(query: str) -> set[str]:
        text = anns.get(f"/ui/nodes{query}").text
        return {name for name in ("n1", "n2") if f"/ui/nodes/{name}" in text}

    assert listed("") == {"n1", "n2"}
    assert listed("?state=idle%2Bdrain") == {"n2"}
    assert listed("?name=1") == {"n1"}
    assert listed("?why=true") == {"n2"}
    assert listed("?partition=nowhere") == set()


def test_a_thousand_nodes_come_page_by_page(site: PagesSite, anns: Browser) -> None:
    for number in range(1000):
        name = f"m{number:04}"
        site.gateway.cluster.nodes[name] = idle_node(name)

    first, last = anns.get("/ui/nodes"), anns.get("/ui/nodes?page=11")

    assert first.text.count('<th scope="row">') == 100
    assert last.text.count('<th scope="row">') == 2
    assert len(first.body) < 150_000


def test_a_node_is_shown_with_the_jobs_on_it_that_one_may_see(
    anns: Browser, admins: Browser
) -> None:
    own, all_of_them = anns.get("/ui/nodes/n1").text, admins.get("/ui/nodes/n1").text

    assert "of Ann" in own
    assert "of Bob" not in own
    assert "of Bob" in all_of_them
    assert "a &lt;b&gt;fan" in anns.get("/ui/nodes/n2").text
    assert anns.get("/ui/nodes/n9").status == 404


def test_the_matrix_has_what_each_partition_comes_to_without_a_script(anns: Browser) -> None:
    text = anns.get("/ui/usage").text

    assert 'data-usage="/api/v1/usage"' in text
    assert ">main</a>" in text


def test_the_load_is_listed_for_the_time_that_is_asked_for(site: PagesSite, anns: Browser) -> None:
    archive = site.gateway.restapi.archive
    assert isinstance(archive, FakeSamples)
    for hours in (1, 30):
        at = int((NOW - timedelta(hours=hours)).timestamp())
        archive.add("lab", at, Sample(at, hours / 100, 16, 100, 8, 50, {}))

    assert "1 %" in anns.get("/ui/load?range=24h").text
    assert "30 %" not in anns.get("/ui/load?range=24h").text
    assert "30 %" in anns.get("/ui/load?range=7d").text
    assert anns.get("/ui/load?range=9y").status == 400


def test_history_shows_ones_own_and_to_who_sees_all_everybodys(
    anns: Browser, admins: Browser
) -> None:
    assert "old of ann" in anns.get("/ui/history").text
    assert "old of bob" not in anns.get("/ui/history?user=bob").text
    assert "old of bob" in admins.get("/ui/history").text


def test_history_goes_on_from_page_to_page(site: PagesSite, anns: Browser) -> None:
    for number in range(10, 70):
        run = past_run(number, submitted=NOW - timedelta(minutes=number), end=NOW, name="many")
        site.gateway.history.runs.append(run)

    first = anns.get("/ui/history?limit=50&name=many").text
    following = first.partition('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    second = anns.get(f"/ui/history{following}").text

    assert first.count("data-job=") == 50
    assert second.count("data-job=") == 10


@pytest.mark.parametrize("by", ["user", "account", "partition", "day"])
def test_history_is_added_up(admins: Browser, by: str) -> None:
    text = admins.get(f"/ui/history?by={by}").text

    assert f"Sums by {by}" in text
    assert '<td class="n">8</td>' in text or text.count('<td class="n">4</td>') == 2


def test_history_as_csv_holds_nothing_that_a_spreadsheet_would_run(anns: Browser) -> None:
    answer = anns.get("/ui/history.csv?efficiency=no")

    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["user"], row["name"]) == ("ann", "'=old of ann")


def test_an_accounting_that_is_silent_is_not_now_and_never_no_jobs(
    site: PagesSite, anns: Browser
) -> None:
    site.gateway.history.go_down()

    for path in ("/ui/history", "/ui/history?by=user", "/ui/history.csv", "/ui/accounts"):
        assert anns.get(path).status == 503, path


def test_accounts_are_a_tree_of_what_one_may_see(site: PagesSite) -> None:
    history = site.gateway.history
    root = Account(AccountName("root"), None)
    history.accounts = (
        root,
        Account(AccountName("physics"), root.name),
        Account(AccountName("secret"), root.name),
    )
    history.memberships = (
        Membership(1, AccountName("physics"), UserName("ann"), ""),
        Membership(2, AccountName("secret"), UserName("bob"), ""),
    )

    own, whole = (
        site.signed_in().get("/ui/accounts").text,
        site.signed_in(Scope).get("/ui/accounts"),
    )

    assert "physics" in own
    assert "secret" not in own
    assert "bob" not in own
    assert "secret" in whole.text


def test_what_is_silent_of_the_rules_takes_no_other_with_it(site: PagesSite, anns: Browser) -> None:
    site.gateway.cluster.silent.add("read_qos")

    answer = anns.get("/ui/partitions")

    assert answer.status == 200
    assert ">main</a>" in answer.text
    assert 'role="alert"' in answer.text


def test_statistics_are_slurms_and_the_gateways_own(site: PagesSite, anns: Browser) -> None:
    anns.get("/ui/queue")

    text = anns.get("/ui/statistics").text

    assert "REQUEST_JOB_INFO" in text
    assert "Waiting for the hands" in text
    site.gateway.cluster.silent.add("read_statistics")
    site.gateway.pictures.statistics.forget()
    assert anns.get("/ui/statistics").status == 200


def test_an_overview_says_what_is_silent_and_shows_the_rest(site: PagesSite, anns: Browser) -> None:
    site.gateway.cluster.silent.add("read_nodes")

    text = anns.get("/ui/overview").text

    assert "Slurm does not answer" in text
    assert "My jobs by state" in text


def test_nobody_is_led_where_he_may_not_go(site: PagesSite) -> None:
    text = site.signed_in(OWN - {Scope.CLUSTER_READ, Scope.ACCOUNTS_READ}).get("/ui/queue").text

    assert "/ui/history" in text
    for path in ("/ui/nodes", "/ui/accounts", "/ui/statistics"):
        assert path not in text
