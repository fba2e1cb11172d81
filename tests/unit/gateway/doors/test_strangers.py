"""Whoever shows nothing is known by where he asks from, and by nothing that he says."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.networks import TrustedNetwork
from waldur_slurm.gateway.doors.principals import Kind, Principal, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.shown import NO_OWNER, Connection, Owner, Place, Shown
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.errors import Denied
from waldur_slurm.model.names import UserName

READ, SUBMIT = Scope.JOBS_READ, Scope.JOBS_SUBMIT
READS, SUBMITS = frozenset({READ}), frozenset({SUBMIT})
ANN = Owner(1001, UserName("ann"))
WWW = Owner(33, None)
OFFICE = TrustedNetwork(ip_network("10.1.0.0/16"), SUBMITS, run_as("ann,@physics"))
DESK = TrustedNetwork(ip_network("10.1.2.3/32"), READS)
LOOPBACK = TrustedNetwork(ip_network("127.0.0.0/8"), READS)


def shown(peer: str = "10.1.2.4", listener: str = "10.9.9.9", **changes: Any) -> Shown:
    connection = Connection(Place(peer, 40_000), Place(listener, 8040))
    host = f"[{listener}]:8040" if ":" in listener else f"{listener}:8040"
    return replace(Shown(host=host, connection=connection), **changes)


def here(**changes: Any) -> Shown:
    return shown("127.0.0.1", "127.0.0.1", **changes)


def forwarded(*headers: str, peer: str = "10.8.0.1") -> Shown:
    return shown(peer, is_forwarded=True, forwarded_for=headers)


def admitted(what: Shown, allowed: Allowed, owner: Owner = ANN) -> Principal:
    """Run whatever errands there are, as the web does."""
    strangers = Strangers(allowed, lambda _: owner)
    found = strangers.recognise(what)
    while isinstance(found, Errand):
        assert found.asks is Asks.SYSTEM
        found.run()
        found = strangers.recognise(what)
    return found


def test_by_default_nobody_may_do_anything_wherever_he_asks_from() -> None:
    for what in (here(), shown("10.1.2.4"), shown("::1", "::1")):
        who = Strangers(Allowed(), lambda _: ANN).recognise(what)

        assert isinstance(who, Principal)
        assert (who.kind, who.scopes, who.own_users) == (Kind.NOBODY, frozenset(), frozenset())


def test_what_anybody_may_is_what_everybody_may() -> None:
    who = admitted(shown("192.0.2.1"), Allowed(anybody=READS))

    assert (who.kind, who.scopes) == (Kind.NOBODY, READS)


def test_a_named_network_has_its_scopes_and_acts_for_those_named() -> None:
    who = admitted(shown("10.1.2.4"), Allowed(networks=(OFFICE,)))

    assert (who.kind, who.name, who.scopes) == (Kind.NETWORK, "10.1.0.0/16", SUBMITS)
    assert who.run_as == run_as("ann,@physics")
    assert who.user is None


def test_of_two_networks_the_narrower_one_counts() -> None:
    for networks in ((OFFICE, DESK), (DESK, OFFICE)):
        who = admitted(shown("10.1.2.3"), Allowed(networks=networks))

        assert (who.scopes, str(who.run_as)) == (READS, "")


def test_an_ipv4_address_in_an_ipv6_one_is_the_ipv4_address() -> None:
    assert admitted(shown("::ffff:10.1.2.4"), Allowed(networks=(OFFICE,))).scopes == {SUBMIT}


# On this machine


@pytest.mark.parametrize(
    ("peer", "listener"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.9.9.9", "127.0.0.1"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
    ],
)
def test_a_client_of_this_machine_is_the_user_whose_connection_it_is(
    peer: str, listener: str
) -> None:
    allowed = Allowed(anybody=READS)

    who = admitted(shown(peer, listener), allowed)

    assert (who.kind, who.user, who.own_users) == (Kind.PEER, "ann", frozenset({"ann"}))
    assert (who.scopes, str(who.run_as)) == (READS, "")


def test_who_asks_by_this_machines_outer_address_is_of_this_machine_too() -> None:
    allowed = Allowed(networks=(OFFICE,))

    who = admitted(shown("10.1.2.3", "10.1.2.3"), allowed)

    assert (who.kind, who.user, str(who.run_as)) == (Kind.PEER, "ann", "")


def test_a_client_whose_user_is_not_known_is_nobody_in_particular() -> None:
    who = admitted(here(), Allowed(anybody=READS, networks=(LOOPBACK,)), NO_OWNER)

    assert (who.kind, who.own_users) == (Kind.NOBODY, frozenset())


def test_what_is_found_out_lasts_as_long_as_the_connection_and_no_longer() -> None:
    looked = []

    def find_owner(connection: Connection) -> Owner:
        looked.append(connection)
        return ANN

    strangers = Strangers(Allowed(networks=(LOOPBACK,)), find_owner)
    one, next_one = here(), here()
    for what in (one, one, next_one):
        found = strangers.recognise(what)
        if isinstance(found, Errand):
            found.run()

    assert looked == [one.connection, next_one.connection]


def test_nobody_is_looked_for_where_nothing_is_allowed() -> None:
    assert isinstance(Strangers(Allowed(), lambda _: ANN).recognise(here()), Principal)


# Behind a proxy


def test_a_forwarded_client_is_nobody_unless_a_named_proxy_says_so() -> None:
    allowed = Allowed(networks=(OFFICE, LOOPBACK))

    for peer in ("192.0.2.1", "10.1.2.4", "127.0.0.1"):
        assert admitted(forwarded("10.1.2.4", peer=peer), allowed).kind is Kind.NOBODY


PROXIED = Allowed(networks=(OFFICE, LOOPBACK), proxies=(ip_network("10.8.0.0/24"),))


def test_a_named_proxy_says_where_its_client_is() -> None:
    assert admitted(forwarded("10.1.2.4"), PROXIED).name == "10.1.0.0/16"


@pytest.mark.parametrize(
    "headers",
    [("10.1.2.4, 192.0.2.1",), ("10.1.2.4", "192.0.2.1"), ("10.1.2.4,192.0.2.1,10.8.0.7",)],
)
def test_what_stands_before_the_last_that_is_no_proxy_was_written_by_the_client(
    headers: tuple[str, ...],
) -> None:
    assert admitted(forwarded(*headers), PROXIED).kind is Kind.NOBODY


@pytest.mark.parametrize("text", ["", "unknown", "10.1.2.4, unknown", "10.1.2.4:99", "127.0.0.1"])
def test_a_proxy_that_names_no_address_or_this_machine_names_nobody(text: str) -> None:
    assert admitted(forwarded(text), PROXIED).kind is Kind.NOBODY


LOCAL_PROXY = replace(PROXIED, proxies=(ip_network("127.0.0.1"),))


def test_a_proxy_on_this_machine_is_one_of_the_system_and_no_users_program() -> None:
    what = forwarded("10.1.2.4", peer="127.0.0.1")

    assert admitted(what, LOCAL_PROXY, WWW).name == "10.1.0.0/16"
    for owner in (ANN, Owner(1001, None), NO_OWNER):
        what = forwarded("10.1.2.4", peer="127.0.0.1")
        assert admitted(what, LOCAL_PROXY, owner).kind is Kind.NOBODY


# A browser


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8041"])
def test_a_page_of_another_site_is_refused(origin: str) -> None:
    allowed = Allowed(anybody=READS, origins=frozenset({"https://front.example"}))

    with pytest.raises(Denied, match="a page of another site"):
        admitted(here(origin=[origin]), allowed)
    with pytest.raises(Denied, match="a page of another site"):
        admitted(here(origin=["https://front.example", origin]), allowed)
    assert admitted(here(origin=["https://front.example"]), allowed).user == "ann"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_of_ours_may_ask_by_the_name_that_it_has_itself(scheme: str) -> None:
    allowed = Allowed(anybody=READS, hosts=frozenset({"gateway.example"}))

    what = here(origin=[f"{scheme}://gateway.example"], host="gateway.example")
    assert admitted(what, allowed).user == "ann"
    with pytest.raises(Denied, match="GATEWAY_HOSTS"):
        admitted(here(origin=["http://evil.example"], host="evil.example"), allowed)


def test_a_page_that_may_read_what_any_page_may_reads_as_nobody() -> None:
    """Who happens to look at it, and from where, gives it nothing."""
    allowed = Allowed(anybody=READS, networks=(OFFICE, LOOPBACK))

    for what in (here(is_of_any_page=True), shown("10.1.2.4", is_of_any_page=True)):
        who = admitted(what, allowed)

        assert (who.kind, who.scopes) == (Kind.NOBODY, READS)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8040", "127.0.0.2", "a" * 999])
def test_a_name_that_the_site_did_not_give_is_refused(host: str) -> None:
    with pytest.raises(Denied, match="GATEWAY_HOSTS"):
        admitted(here(host=host), Allowed(anybody=READS))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost:8040", "LOCALHOST", ""])
def test_the_address_itself_is_always_a_name_of_it(host: str) -> None:
    assert admitted(here(host=host), Allowed(anybody=READS)).user == "ann"


def test_names_that_the_site_gave_are_taken_in_any_spelling() -> None:
    allowed = Allowed(anybody=READS, hosts=frozenset({"gw.example.org"}))

    assert admitted(shown("192.0.2.1", host="GW.example.org:443"), allowed).scopes == {READ}
    with pytest.raises(Denied):
        admitted(shown("192.0.2.1", host="localhost"), allowed)


def test_an_ipv6_address_is_a_name_in_brackets() -> None:
    assert admitted(shown("::1", "::1"), Allowed(anybody=READS)).user == "ann"
