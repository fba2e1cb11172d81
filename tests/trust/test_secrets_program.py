"""The token and every other secret stay where they belong, whatever goes wrong.

The real program is run through all that it does and all that fails, with marked secrets; then
everything that it left behind or told anybody is searched for any of them, whole or in part.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import Waldur
from tests.e2e.program import TOOLS, Daemon, Program, eventually
from tests.fixtures_program import program_for
from tests.fixtures_waldur import StartWaldur
from tests.places import PROJECT
from tests.trust.hostile import refusal_of
from tests.trust.hunting import SHORTEST_PART, Sink, assert_none_is_told, files_below, sentry
from tests.trust.liar import Answered, Liar, lying
from tests.trust.size import count
from tests.unit.agent.waldur.servers import says, scripted
from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Bounds

PROXY_PASSWORD = "pr0xyPassw0rdOfTheSite"
DSN_KEY = "d5nKeyOfTheSite0123456789abcdef"


def watched_tools(directory: Path, cluster: Cluster) -> Path:
    """Slurm's tools, which first write down what they can see of whoever starts them."""
    directory.mkdir()
    kept = " ".join(f"{n}='{v}'" for n, v in cluster.environ.items() if n != "PATH")
    for tool in TOOLS:
        script = directory / tool
        script.write_text(
            "#!/bin/sh\n"
            f"cat /proc/$$/environ /proc/$$/cmdline /proc/$PPID/cmdline /proc/$PPID/comm"
            f" >> {directory}/seen\n"
            f'exec /usr/bin/env {kept} /usr/bin/{tool} "$@"\n'
        )
        script.chmod(0o755)
    return directory


class SecretSite:
    """An agent with marked secrets, behind a proxy that keeps and twists what goes through it."""

    def __init__(
        self, cluster: Cluster, waldur: Waldur, liar: Liar, sink: Sink, directory: Path
    ) -> None:
        self.waldur, self.liar, self.sink, self.directory = waldur, liar, sink, directory
        self.cluster = cluster
        self.tools = watched_tools(directory / "bin", cluster)
        self.token = waldur.tokens.provider
        self.secrets = [self.token, PROXY_PASSWORD, DSN_KEY]
        self.heard: list[str] = []
        self.programs = [self.agent("pull"), self.agent("push")]

    def agent(self, direction: str) -> Program:
        place = self.directory / direction
        made = program_for(
            self.cluster,
            self.tools,
            self.waldur,
            place,
            direction,
            WALDUR_API_URL=self.liar.url,
            SENTRY_DSN=f"http://{DSN_KEY}@127.0.0.1:{self.sink.port}/1",
            HTTPS_PROXY=f"http://agent:{PROXY_PASSWORD}@proxy.example:3128",
            AGENT_LOG_LEVEL="debug",
            NO_PROXY="127.0.0.1",
        )
        made.is_started_anew = True  # its tools look at how it was started
        return made

    def everything(self) -> Iterator[tuple[str, str]]:
        """All that came out, by where it did."""
        for program in self.programs:
            yield from ((f"output of {program.directory.name}", text) for text in program.said)
        yield from files_below(self.directory)
        yield from (("Sentry", text) for text in self.sink.received)
        yield from (("systemd or a page", text) for text in self.heard)
        for asked in self.liar.asked:
            more = [f"{n}: {v}" for n, v in asked.headers if n.lower() != "authorization"]
            yield "request", "\n".join([asked.method, asked.path, *more, asked.body.decode()])

    def assert_nothing_is_given_away(self) -> None:
        assert_none_is_told(self.secrets, self.everything())


@pytest.fixture
def site(slurm_cluster: Cluster, start_waldur: StartWaldur, tmp_path: Path) -> Iterator[SecretSite]:
    waldur = start_waldur("today")
    with lying(waldur.url) as liar, sentry() as sink:
        yield SecretSite(slurm_cluster, waldur, liar, sink, tmp_path)


def tell_me_the_token(status: int, token: str) -> list[Answered]:
    """Answers that repeat the token in every way that a server, or what stands before it, may."""
    html = {"Content-Type": "text/html"}
    plain = {"Content-Type": "application/json"}
    header = f"Authorization: token {token}"
    page = f"<html><pre>{'<b></b>' * 856}{header}</pre></html>"
    return [
        Answered(status, plain, json.dumps({"detail": f"bad {header}"}).encode()),
        Answered(status, plain, json.dumps([header, {token: token}]).encode()),
        Answered(status, html, page.encode()),
        Answered(status, plain, f"{'x' * 290} {token} {token}".encode()),
        Answered(status, {**plain, "X-Debug": header, "Set-Cookie": f"t={token}"}, b"{}"),
        Answered(status, {**plain, "Location": f"http://127.0.0.1:9/?token={token}"}, b"{}"),
        Answered(status, {**plain, "Location": f"//u:{token}@127.0.0.1:9/{token}"}, b"{}"),
        Answered(status, {**plain, "Location": f"http://[{token}/"}, b"{}"),
        Answered(status, {**plain, "Location": f"http://{token}.example/"}, b"{}"),
        Answered(status, {**plain, "Link": f'<http://[{token}>; rel="next"'}, b"[]"),
        Answered(status, {**plain, "X-Result-Count": token}, b"[]"),
        Answered(status, {**plain, "Retry-After": token, "Date": token}, f'"{token}'.encode()),
    ]


def test_no_secret_leaves_an_agent_at_work_or_in_trouble(site: SecretSite) -> None:
    pull, push = site.programs
    project = site.waldur.make_project(site.waldur.make_customer("Science"), "Physics")
    site.waldur.order_create(project, f"named {site.token}"[:12], {"cpu": 10})
    for program in (pull, push):
        assert program.run("settings").returncode == 0
        assert program.run("check", "--json").returncode == 0
        assert program.run("plan").returncode in (0, 10, 11)
        done = program.run("once")
        assert done.returncode == 0, done.stderr
    assert pull.run("settings", "--json").returncode == 0
    assert push.run("plan", "--json").returncode == 11
    assert push.run("--load-components").returncode == 0
    assert push.run("usage").returncode == 0

    refusing_the_token(site, pull)
    in_a_file(site, pull)
    without_a_proxy(site, pull)
    seen = (site.tools / "seen").read_text()
    assert "SLURM_CONF=" in seen, "what the children are given was not looked at"
    assert "waldur_slurm.main" in seen, "what is shown of the agent was not looked at"
    site.assert_nothing_is_given_away()


def refusing_the_token(site: SecretSite, pull: Program) -> None:
    for settings in ({"WALDUR_API_TOKEN": f"{site.token} twice"}, {"SENTRY_DSN": DSN_KEY}):
        assert pull.run("once", **settings).returncode == 78


def in_a_file(site: SecretSite, pull: Program) -> None:
    """Where the token comes from a file, nothing but that file and its reader know it."""
    file = site.directory.parent / f"{site.directory.name}.token"
    file.write_text(site.token)
    done = pull.run("once", WALDUR_API_TOKEN="", WALDUR_API_TOKEN_FILE=str(file))
    assert done.returncode == 0, done.stderr
    file.unlink()


def without_a_proxy(site: SecretSite, pull: Program) -> None:
    proxy = f"http://agent:{PROXY_PASSWORD}@127.0.0.1:9"
    done = pull.run("once", HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY="", no_proxy="")
    assert done.returncode == 75, done.stderr


@pytest.mark.parametrize("status", [200, 302, 400, 401, 429, 500])
def test_no_error_repeats_the_token_that_a_server_repeated(status: int) -> None:
    token = "7e" * 20
    for told in tell_me_the_token(status, token):
        count("token repeated by Waldur")
        headers: dict[str, Any] = dict(told.headers)
        with scripted(says(told.body, f"{status} Whatever", **headers)) as server:
            session = WaldurSession(
                server.url, token, user_agent="test", bounds=Bounds(), sleep=lambda _: None
            )
            asks = partial(session.rows, "x", {}, str), partial(session.act, "x", None, "y", {})
            for ask in asks:
                words = refusal_of(WaldurError, ask)
                assert token[:SHORTEST_PART] not in words
            session.close()


@pytest.mark.parametrize("status", [302, 400, 401, 500])
def test_a_server_that_repeats_the_token_does_not_make_the_agent_repeat_it(
    site: SecretSite, status: int
) -> None:
    """What `check` asks goes on after a refusal, so that it hears many of them."""
    answers = cycle(tell_me_the_token(status, site.token))
    site.liar.twist = lambda _asked, _: next(answers)
    pull, push = site.programs
    assert pull.run("check", REQUESTS_TIMEOUT="1").returncode == 1
    done = push.run("once", REQUESTS_TIMEOUT="1")
    assert done.returncode in (1, 75), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    site.assert_nothing_is_given_away()


def test_an_order_that_waldur_refuses_with_the_token_in_its_words(site: SecretSite) -> None:
    project = site.waldur.make_project(site.waldur.make_customer("Science"), "Physics")
    for number in range(3):
        site.waldur.order_create(project, f"order {number}", {"cpu": 10})
    answers = cycle(tell_me_the_token(400, site.token))
    site.liar.twist = lambda asked, true: true if asked.is_reading else next(answers)
    pull, _ = site.programs
    assert pull.run("once").returncode == 1
    assert (pull.directory / "state" / "journal" / "quarantine.json").exists()
    assert site.sink.received, "Sentry did not hear of it"
    site.assert_nothing_is_given_away()


def test_what_others_watch_of_a_daemon_in_trouble_holds_no_secret(
    site: SecretSite, own_port: int
) -> None:
    pull, _ = site.programs
    listen = f"127.0.0.1:{own_port}"
    said = f"\x1b[31m{site.token}\n{'x' * 100}"
    site.liar.twist = lambda _asked, _: Answered(403, {}, json.dumps(said).encode())
    changes = {"WALDUR_SYNC_INTERVAL": "1", "AGENT_HTTP_LISTEN": listen, "AGENT_LOG_FORMAT": "json"}
    with pull.daemon(**changes) as daemon:
        status = heard(daemon, "STATUS=failed")
        eventually(lambda: len(site.sink.received) > 0, "Sentry hears of it")
        site.heard += [page(listen, path) for path in ("/metrics", "/healthz", "/readyz", "/x")]
        assert daemon.stop() == 0
    site.heard.append(status)

    assert status.isprintable()
    assert "403" in status
    for text in site.heard:
        assert all(line.isprintable() for line in text.split("\n"))
    assert "cycle.failed" in "".join(site.sink.received)
    site.assert_nothing_is_given_away()


def heard(daemon: Daemon, beginning: str) -> str:
    daemon.manager.settimeout(60)
    while True:
        message = daemon.manager.recv(65_536).decode()
        if message.startswith(beginning):
            return message


def page(listen: str, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{listen}{path}", timeout=30) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        return str(error.read().decode())


HOLD_A_TOKEN = sorted(
    unit
    for unit in PROJECT.glob("systemd-conf/*/*.service")
    if unit.name != "slurm-gateway-hand.service"  # it knows no secret, and users' limits pass it
)


@pytest.mark.parametrize("unit", HOLD_A_TOKEN, ids=lambda p: p.name)
def test_a_crash_leaves_no_picture_of_the_memory(unit: Path) -> None:
    """The token is in the memory of the service, and a core dump is read by others."""
    assert re.search(r"^LimitCORE=0$", unit.read_text(), re.MULTILINE)
