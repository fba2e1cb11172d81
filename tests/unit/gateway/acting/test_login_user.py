"""Who the one login user of another host is: asked rarely, kept while that host is silent."""

from dataclasses import dataclass, field

import pytest

from waldur_slurm.errors import ExpectedError, NotPermitted, TransportError
from waldur_slurm.gateway.acting.login_user import AGAIN_S, KEPT_S, LoginUser
from waldur_slurm.gateway.doors.people import Person
from waldur_slurm.gateway.errors import Denied, NotNow
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.transports.identity import Identity

PORTAL = UserName("portal")
KNOWN = Identity(1234, 100, ("users", "physics"), "/home/portal")


@dataclass
class Host:
    """Answers what it is told to, and counts."""

    answer: Identity | ExpectedError = KNOWN
    asked: int = 0
    now: float = 0.0
    user: LoginUser = field(init=False)

    def __post_init__(self) -> None:
        self.user = LoginUser(PORTAL, "login", self.ask, lambda: self.now)

    def ask(self) -> Identity:
        self.asked += 1
        if isinstance(self.answer, ExpectedError):
            raise self.answer
        return self.answer


@pytest.fixture
def host() -> Host:
    return Host()


def test_he_is_asked_for_once_and_again_after_a_while(host: Host) -> None:
    found = [host.user.find(PORTAL) for _ in range(3)]
    host.now = KEPT_S - 1
    home = host.user.home()
    assert (found, home) == ([Person(PORTAL, 1234, 100, ("users", "physics"))] * 3, KNOWN.home)
    assert host.asked == 1

    host.now, host.answer = KEPT_S, KNOWN._replace(gid=7)
    found_again = host.user.find(PORTAL)
    assert found_again is not None
    assert (found_again.gid, host.asked) == (7, 2)


def test_what_is_known_stands_while_his_host_is_silent_which_is_not_asked_each_time(
    host: Host,
) -> None:
    host.user.find(PORTAL)
    host.now, host.answer = KEPT_S, TransportError("frozen")

    assert {host.user.home() for _ in range(5)} == {KNOWN.home}
    assert host.asked == 2
    host.now += AGAIN_S
    assert host.user.home() == KNOWN.home
    assert host.asked == 3


def test_one_who_was_never_heard_of_is_not_now_and_his_host_is_asked_again_soon(
    host: Host,
) -> None:
    host.answer = TransportError("no route")
    for _ in range(3):
        with pytest.raises(NotNow, match="who portal is is not known: no route"):
            host.user.find(PORTAL)
    assert host.asked == 1

    host.now, host.answer = AGAIN_S, KNOWN
    assert host.user.find(PORTAL) is not None


def test_one_whom_hand_conf_no_longer_lists_is_denied(host: Host) -> None:
    host.user.find(PORTAL)
    host.now, host.answer = KEPT_S, NotPermitted("portal is not listed in hand.conf")

    for _ in range(2):
        with pytest.raises(Denied, match="is not listed"):
            host.user.find(PORTAL)
    assert host.asked == 2


def test_nobody_else_is_asked_for(host: Host) -> None:
    with pytest.raises(Denied, match="is portal on login, and acts as nobody else"):
        host.user.find(UserName("ann"))
    assert host.asked == 0
