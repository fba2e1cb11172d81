"""Who may ask, and who is acted as, is what root wrote, by every way."""

import os
import socket
from datetime import timedelta
from pwd import getpwnam

import pytest

from tests.fixtures_hand import ANN, AT_ONCE, BOB, CALLER, STRANGER, CallersSocketHand, HandSite
from waldur_slurm.errors import NotPermitted, TransportError
from waldur_slurm.slurm.transports.on_behalf import OnBehalf


@pytest.mark.parametrize(
    "user",
    [
        STRANGER,
        "root",
        "daemon",
        "0",
        "1000",
        "#1000",
        "nobody-at-all",
        "Wsat-Ann",
        CALLER,
        "",
        "wsat-ann\0",
        "wsat-ann ",
        "wsat-ann+",
        "ws\u0430t-ann",
        "-u",
        "x" * 5000,
    ],
)
def test_nobody_else_is_acted_as(hand_site: HandSite, way: str, home: str, user: str) -> None:
    """The sudo rules of this site would let more be started than hand.conf lists."""
    with pytest.raises((NotPermitted, TransportError)):
        hand_site.behalf(way).of(user).files.look(home)


def test_a_hand_that_was_started_as_one_user_does_not_act_as_another(
    hand_site: HandSite,
) -> None:
    behalf = OnBehalf(hand_site.hand("self", ANN)).of(BOB)

    with pytest.raises(NotPermitted, match="this process is not wsat-bob"):
        behalf.files.look(str(hand_site.home(BOB)))


def test_the_socket_hears_the_caller_alone(hand_site: HandSite, home: str) -> None:
    hand_site.socket.chmod(0o666)
    stranger = OnBehalf(CallersSocketHand(hand_site.socket, getpwnam(BOB).pw_uid)).of(ANN)

    with pytest.raises(NotPermitted, match="who alone may ask"):
        stranger.files.look(home)


def test_who_connects_and_says_nothing_keeps_nobody_waiting_for_long(
    hand_site: HandSite, home: str
) -> None:
    """So many acts run at once; who comes then waits until one has ended."""
    idle = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(AT_ONCE)]
    os.seteuid(getpwnam(CALLER).pw_uid)
    try:
        for each in idle:
            each.connect(str(hand_site.socket))
    finally:
        os.seteuid(0)
    impatient = OnBehalf(hand_site.hand("socket"), silence=timedelta(milliseconds=300)).of(ANN)
    with pytest.raises(TransportError, match="no word from"):
        impatient.files.look(home)
    for each in idle:
        each.close()

    assert hand_site.behalf("socket").of(ANN).files.look(home) is not None


@pytest.mark.parametrize("starter", ["sudo", "setuid"])
def test_what_somebody_else_had_started_is_not_obeyed(
    hand_site: HandSite, home: str, starter: str
) -> None:
    hand_site.write_conf(caller=STRANGER)

    with pytest.raises(NotPermitted, match="this was not started for wsat-eve"):
        hand_site.behalf(starter).of(ANN).files.look(home)


@pytest.mark.parametrize("variable", ["SUDO_UID", "EXECUTOR_UID"])
def test_a_hand_that_was_started_for_somebody_takes_no_conf_of_his(
    hand_site: HandSite, home: str, variable: str
) -> None:
    """He could otherwise name any file of the user's that reads as a hand.conf."""
    hand = hand_site.hand("self")
    hand._argv = ("/usr/bin/env", f"{variable}=0", *hand._argv)  # type: ignore[attr-defined]  # one way has it

    with pytest.raises(NotPermitted, match="without arguments"):
        OnBehalf(hand).of(ANN).files.look(home)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"min_uid": "60000"}, "has uid"),
        ({"max_uid": "101"}, "has uid"),
        ({"users": "@no-such-group wsat-bob"}, "not listed"),
        ({"slurm_user": ANN}, "nobody to act as"),
        ({"umask": "rwx"}, "umask"),
        ({"unheard_of": "1"}, "unheard_of"),
    ],
)
def test_hand_conf_bounds_every_way(
    hand_site: HandSite, way: str, home: str, changed: dict[str, str], why: str
) -> None:
    hand_site.write_conf(**changed)

    with pytest.raises(NotPermitted, match=why):
        hand_site.behalf(way).of(ANN).files.look(home)


def test_members_of_a_listed_group_are_acted_as(hand_site: HandSite, way: str, home: str) -> None:
    hand_site.write_conf(users="@games")

    assert hand_site.behalf(way).of(ANN).files.look(home) is not None


def test_a_hand_conf_that_others_may_write_is_not_believed(
    hand_site: HandSite, way: str, home: str
) -> None:
    hand_site.conf.chmod(0o666)
    try:
        with pytest.raises(NotPermitted, match="may be written by others"):
            hand_site.behalf(way).of(ANN).files.look(home)
    finally:
        hand_site.conf.chmod(0o644)
