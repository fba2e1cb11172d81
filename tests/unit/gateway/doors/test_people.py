"""On real sockets, as several users: whose a connection is, and who may be acted as."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from pwd import getpwnam
from types import SimpleNamespace

import pytest

from sandbox.slurm.users import ensure_users
from tests.acting import acting_as
from waldur_slurm.gateway.doors.peers import find_uid
from waldur_slurm.gateway.doors.people import People
from waldur_slurm.gateway.doors.principals import Kind, Principal, RunAs, run_as
from waldur_slurm.gateway.doors.shown import NO_OWNER, Connection, Place
from waldur_slurm.gateway.errors import Denied
from waldur_slurm.model.names import UserName

ANN, BOB = "wsat-ann", "wsat-bob"
AS_ROOT = pytest.mark.usefixtures("as_root")
PEOPLE = People(1000, 65535, "slurm")
FAMILIES = [
    (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
    (socket.AF_INET6, "::1", "::1"),
    (socket.AF_INET6, "::", "::ffff:127.0.0.1"),
]


@pytest.fixture(scope="module", autouse=True)
def users() -> None:
    if os.geteuid() == 0:
        ensure_users([ANN, BOB])


@contextmanager
def connected(family: int, at: str, to: str, uid: int) -> Iterator[tuple[Place, Place]]:
    """Connect as somebody; yields both ends as a server sees them."""
    with closing(socket.socket(family)) as server:
        server.bind((at, 0))
        server.listen()
        with acting_as(uid):
            client = socket.socket(family)
        with closing(client):
            client.connect((to, server.getsockname()[1]))
            accepted, peer = server.accept()
            with closing(accepted):
                here = accepted.getsockname()
                yield Place(peer[0], peer[1]), Place(here[0], here[1])


def uid(name: str) -> int:
    return getpwnam(name).pw_uid


@AS_ROOT
@pytest.mark.parametrize(("family", "at", "to"), FAMILIES)
def test_two_users_are_told_apart(family: int, at: str, to: str) -> None:
    with (
        connected(family, at, to, uid(ANN)) as anns,
        connected(family, at, to, uid(BOB)) as bobs,
    ):
        assert find_uid(*anns) == uid(ANN)
        assert find_uid(*bobs) == uid(BOB)
        assert PEOPLE.owner_of(Connection(*anns)) == (uid(ANN), ANN)
        assert PEOPLE.owner_of(Connection(*bobs)) == (uid(BOB), BOB)


@AS_ROOT
def test_an_ipv6_socket_that_speaks_ipv4_is_found_in_the_other_table() -> None:
    with closing(socket.socket(socket.AF_INET)) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with acting_as(uid(ANN)):
            client = socket.socket(socket.AF_INET6)
        with closing(client):
            client.connect(("::ffff:127.0.0.1", server.getsockname()[1]))
            accepted, peer = server.accept()
            with closing(accepted):
                ends = Place(*peer), Place(*accepted.getsockname())
                assert find_uid(*ends) == uid(ANN)


@AS_ROOT
def test_our_own_end_is_never_taken_for_the_others() -> None:
    with connected(*FAMILIES[0], uid(ANN)) as (peer, listener):
        assert find_uid(listener, peer) == 0
        assert find_uid(peer, listener) == uid(ANN)


def test_a_client_that_went_away_is_nobody_and_not_root() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        client = socket.create_connection(server.getsockname())
        accepted, peer = server.accept()
        with closing(accepted):
            ends = Place(*peer), Place(*accepted.getsockname())
            assert find_uid(*ends) == os.geteuid()
            client.close()

            assert find_uid(*ends) is None
            assert PEOPLE.owner_of(Connection(*ends)) == NO_OWNER


@AS_ROOT
def test_root_and_the_users_of_other_namespaces_are_no_users() -> None:
    with connected(*FAMILIES[0], 0) as ends:
        assert PEOPLE.owner_of(Connection(*ends)) == (0, None)
    with connected(*FAMILIES[0], 65534) as ends:
        assert PEOPLE.owner_of(Connection(*ends)) == NO_OWNER
    with connected(*FAMILIES[0], 54_321) as ends:
        assert PEOPLE.owner_of(Connection(*ends)) == (54_321, None)


ROW = (
    "   0: 0100007F:9C40 0100007F:1F68 {state} 00000000:00000000 00:00000000 00000000"
    "  1007        0 {inode} 1 0000000000000000 20 4 30 10 -1\n"
)


@pytest.mark.parametrize(
    ("state", "inode", "found"),
    [("01", "77", 1007), ("01", "0", None), ("06", "77", None), ("02", "77", None)],
)
def test_only_a_connected_socket_that_somebody_holds_counts(
    tmp_path: Path, state: str, inode: str, found: int | None
) -> None:
    (tmp_path / "tcp").write_text("heading\n" + ROW.format(state=state, inode=inode))

    assert find_uid(Place("127.0.0.1", 40_000), Place("127.0.0.1", 8040), tmp_path) == found


def test_a_machine_that_tells_nothing_names_nobody(tmp_path: Path) -> None:
    assert find_uid(Place("127.0.0.1", 40_000), Place("127.0.0.1", 8040), tmp_path) is None
    assert find_uid(Place("somewhere", 1), Place("", 2), tmp_path) is None


# Acting


def somebody(actors: str, user: str | None = None) -> Principal:
    return Principal(
        Kind.TOKEN, "portal", user=UserName(user) if user else None, run_as=run_as(actors)
    )


@AS_ROOT
def test_a_user_is_acted_as_by_whoever_may() -> None:
    for principal in (somebody(ANN), somebody("any"), somebody("", ANN)):
        person = PEOPLE.find_actor(principal, ANN)

        assert (person.name, person.uid) == (ANN, uid(ANN))


@AS_ROOT
def test_a_member_of_a_group_is_acted_as_by_whoever_may_act_for_the_group() -> None:
    with_group = PEOPLE.find_actor(somebody("@nogroup"), ANN)

    assert "nogroup" in with_group.groups
    with pytest.raises(Denied, match="may not act for"):
        PEOPLE.find_actor(somebody("@daemon"), ANN)


@AS_ROOT
@pytest.mark.parametrize("name", ["root", "slurm", "nobody", "daemon", "wsat-not-there", "0"])
def test_root_slurms_own_user_services_and_who_is_not_there_are_never_acted_as(name: str) -> None:
    everybody = RunAs(frozenset({UserName(name)}), frozenset(), anybody=True)

    with pytest.raises(Denied):
        PEOPLE.find_actor(Principal(Kind.TOKEN, "portal", run_as=everybody), name)


@AS_ROOT
def test_a_uid_outside_the_sites_bounds_is_never_acted_as() -> None:
    number = uid(ANN)

    for people in (People(number + 1, 65535, "slurm"), People(1, number - 1, "slurm")):
        with pytest.raises(Denied, match="nothing is done here as"):
            people.find_actor(somebody("any"), ANN)
    assert People(number, number, "slurm").find_actor(somebody("any"), ANN).uid == number


@AS_ROOT
def test_slurms_own_user_is_never_acted_as_whatever_his_name() -> None:
    with pytest.raises(Denied):
        People(1000, 65535, ANN).find_actor(somebody("any"), ANN)


@AS_ROOT
@pytest.mark.parametrize("changed", [{"pw_name": "Wsat-Ann"}, {"pw_gid": 0}])
def test_one_whom_the_directory_calls_otherwise_or_whose_group_is_roots_is_never_acted_as(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, object]
) -> None:
    """A directory may answer for other spellings of a name too."""
    entry, slurm = getpwnam(ANN), getpwnam("slurm")
    said = {"pw_name": ANN, "pw_uid": entry.pw_uid, "pw_gid": entry.pw_gid, **changed}
    known = {ANN: SimpleNamespace(**said), "slurm": slurm}
    monkeypatch.setattr("pwd.getpwnam", known.__getitem__)

    with pytest.raises(Denied, match="nothing is done here as"):
        PEOPLE.find_actor(somebody("any"), ANN)


def test_who_may_not_act_for_somebody_does_not_learn_whether_he_exists() -> None:
    words = set()
    for name in ("wsat-bob", "wsat-not-there"):
        with pytest.raises(Denied) as refused:
            PEOPLE.find_actor(somebody("wsat-kim"), name)
        words.add(str(refused.value).replace(name, "NAME"))

    assert len(words) == 1
