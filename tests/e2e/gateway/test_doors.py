"""Who asks, seen from outside: the real program, real sockets, and no Slurm that anybody needs."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from pwd import getpwnam
from typing import Any

import pytest

from sandbox.slurm.ports import claim_ports
from sandbox.slurm.users import ensure_users
from tests.acting import acting_as
from tests.e2e.gateway.gateway import Answer, Gateway
from tests.e2e.program import Program
from waldur_slurm.gateway.doors.tokens import OWN

ANN, BOB = "wsat-ann", "wsat-bob"
AS_ROOT = pytest.mark.usefixtures("as_root")

Start = Callable[..., AbstractContextManager[Gateway]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Serve a cluster whose Slurm is away."""

    @contextmanager
    def started(**changes: str) -> Iterator[Gateway]:
        claimed = claim_ports(2)
        try:
            environ = {
                "PATH": os.defpath,
                "GATEWAY_CLUSTERS": "lab",
                "GATEWAY_LISTEN": f"127.0.0.1:{claimed.first}",
                "GATEWAY_STATE_DIR": str(tmp_path / "state"),
                "GATEWAY_LOG_LEVEL": "debug",
                "SLURM_BIN_PATH": str(tmp_path / "nowhere"),
            }
            program = Program(environ | changes, tmp_path, module="waldur_slurm.gateway.main")
            with program.daemon() as daemon:
                daemon.hears("READY=1")
                yield Gateway(program, daemon, claimed.first)
        finally:
            claimed.claim.close()

    return started


def make_token(gateway: Gateway, *more: str) -> str:
    done = gateway.program.run("token", "make", "--name", "test", "--scopes", "jobs:read", *more)
    assert done.returncode == 0, done.stderr
    text = done.stdout.strip()
    assert OWN.fullmatch(text)
    assert text not in done.stderr
    return text


def me(gateway: Gateway, token: str = "", **headers: str) -> Answer:
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    return gateway.get("/api/v1/me", **shown, **headers)


def me_as(gateway: Gateway, user: str, **headers: str) -> Any:
    """Ask twice by one connection of this user's."""
    with closing(HTTPConnection("127.0.0.1", gateway.port, timeout=30)) as connection:
        with acting_as(getpwnam(user).pw_uid):
            connection.sock = socket.socket()
        connection.sock.connect(("127.0.0.1", gateway.port))
        found = []
        for _ in range(2):
            connection.request("GET", "/api/v1/me", headers=headers)
            found.append(json.loads(connection.getresponse().read()))
    assert found[0] == found[1]
    return found[0]


def test_a_token_opens_the_running_gateway_at_once_and_a_revoked_one_does_not_a_second_later(
    start: Start,
) -> None:
    with start() as gateway:
        assert me(gateway).json["kind"] == "nobody"
        first = make_token(gateway, "--run-as", "ann")
        assert (me(gateway, first).json["kind"], me(gateway, first).json["run_as"]) == (
            "token",
            "ann",
        )
        second = make_token(gateway)
        assert me(gateway, second).status == 200

        revoked = gateway.program.run("token", "revoke", first.split("_")[1])

        assert revoked.returncode == 0
        assert "is revoked" in revoked.stderr
        time.sleep(1.0)  # what is promised
        assert me(gateway, first).status == 401
        assert "was revoked" in me(gateway, first).json["detail"]
        assert me(gateway, second).status == 200


def test_a_rotated_token_makes_place_for_one_alike(start: Start) -> None:
    with start() as gateway:
        old = make_token(gateway, "--run-as", "ann,@physics", "--expires", "never")
        rotated = gateway.program.run("token", "rotate", old.split("_")[1], "--grace", "0s")
        new = rotated.stdout.strip()

        listed = {each["id"]: each for each in gateway.program.data("token", "list")}
        alike = ("name", "scopes", "run_as")
        before, after = (listed[text.split("_")[1]] for text in (old, new))
        assert [before[name] for name in alike] == [after[name] for name in alike]
        assert (before["valid"], after["valid"], after["ends"]) == (False, True, None)
        time.sleep(1.0)
        assert (me(gateway, old).status, me(gateway, new).status) == (401, 200)


def test_a_use_is_listed_after_the_gateway_has_ended(start: Start) -> None:
    with start() as gateway:
        token = make_token(gateway)
        me(gateway, token)
        assert gateway.daemon.stop() == 0

        (listed,) = gateway.program.data("token", "list")
        assert listed["last_used"] is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ["make", "--name", "x", "--scopes", "jobs:everything"],
        ["make", "--name", "x", "--scopes", ","],
        ["make", "--name", "x\n", "--scopes", "jobs:read"],
        ["make", "--name", "x", "--scopes", "jobs:read", "--run-as", "0"],
        ["make", "--name", "x", "--scopes", "jobs:read", "--expires", "soon"],
        ["revoke"],
    ],
)
def test_a_command_that_is_not_understood_makes_nothing(
    tmp_path: Path, arguments: list[str]
) -> None:
    environ = {"PATH": os.defpath, "GATEWAY_STATE_DIR": str(tmp_path / "state")}
    done = Program(environ, tmp_path, module="waldur_slurm.gateway.main").run("token", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "expected" in done.stderr or "required" in done.stderr
    assert not (tmp_path / "state").exists()


def test_one_id_that_is_not_there_revokes_none(start: Start) -> None:
    with start() as gateway:
        token = make_token(gateway)
        done = gateway.program.run("token", "revoke", token.split("_")[1], "aaaaaaaa")

        assert done.returncode == 1
        assert "there is no token 'aaaaaaaa'" in done.stderr
        assert me(gateway, token).status == 200


@AS_ROOT
def test_two_users_of_this_machine_are_two_people_to_the_gateway(start: Start) -> None:
    ensure_users([ANN, BOB])
    with start(GATEWAY_TRUSTED_NETWORKS="127.0.0.1 may jobs:read") as gateway:
        for user in (ANN, BOB):
            who = me_as(gateway, user)
            assert (who["kind"], who["user"], who["run_as"]) == ("peer", user, "")

        assert me_as(gateway, ANN, **{"X-Forwarded-For": "10.1.2.3"})["kind"] == "nobody"
        assert me_as(gateway, ANN, Forwarded="for=10.1.2.3")["kind"] == "nobody"
        assert me(gateway).json["kind"] == "nobody"  # root, who is no user


@AS_ROOT
def test_a_user_of_this_machine_is_no_proxy_whatever_the_site_says_of_loopback(
    start: Start,
) -> None:
    ensure_users([ANN])
    networks = "10.1.0.0/16 may jobs:read as wsat-bob; 127.0.0.1 may jobs:read"
    with start(GATEWAY_TRUSTED_NETWORKS=networks, GATEWAY_TRUSTED_PROXIES="127.0.0.1") as gateway:
        header = {"X-Forwarded-For": "10.1.2.3"}

        assert me_as(gateway, ANN, **header)["kind"] == "nobody"
        assert me_as(gateway, "daemon", **header)["run_as"] == "wsat-bob"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}]
)
def test_a_page_that_leads_a_browser_here_is_refused(start: Start, headers: dict[str, str]) -> None:
    with start(GATEWAY_ANONYMOUS_SCOPES="jobs:read") as gateway:
        assert me(gateway, **headers).status == 403
        assert me(gateway).status == 200
        assert me(gateway, make_token(gateway), **headers).status == 200


def test_a_state_directory_that_cannot_be_used_lets_nobody_in_and_says_why_in_the_log(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "gateway.sqlite").write_bytes(b"no database at all" * 100)
    with start(GATEWAY_ANONYMOUS_SCOPES="jobs:read") as gateway:
        answer = me(gateway, f"sgw_abcdefgh_{'A' * 43}")

        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert "tokens cannot be read now" in answer.json["detail"]
        assert str(tmp_path) not in answer.body.decode()
        assert me(gateway).status == 200
        assert "put a backup in its place" in gateway.daemon.log
