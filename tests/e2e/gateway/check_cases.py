"""Each remedy of the gateway's check: how to break what it is for, and how to follow it."""

import json
import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from shutil import rmtree
from threading import Thread

from sandbox.rabbitmq import PASSWORD, USER, running_rabbitmq
from tests.e2e.gateway.check_scene import CheckScene
from tests.fakes.issuer import made
from tests.fixtures_hand import ANN, CALLER
from tests.fixtures_rabbitmq import require_rabbitmq
from tests.fixtures_slurm import open_directory
from tests.unit.gateway.post.sinks import make_certificate, relaying


@dataclass(frozen=True, slots=True)
class Case:
    """`remedy`: words that the advice has; `subject`: how the line's begins."""

    remedy: str
    subject: str
    breaks: Callable[[CheckScene], object]
    follows: Callable[[CheckScene, str], object]
    verdict: str = "failed"


def told(**settings: str) -> Callable[[CheckScene], None]:
    """Set what is wrong; `{place}` and `{port}` are the scene's own."""

    def breaks(scene: CheckScene) -> None:
        for name, text in settings.items():
            scene.settings[name] = text.format(place=scene.site.place, port=scene.port + 1)

    return breaks


def without(*names: str) -> Callable[[CheckScene, str], None]:
    """Take back what the advice names."""

    def follows(scene: CheckScene, advice: str) -> None:
        for name in names:
            assert name in advice, advice
            del scene.settings[name]

    return follows


def by_way(way: str, **settings: str) -> Callable[[CheckScene], None]:
    def breaks(scene: CheckScene) -> None:
        scene.way = way
        told(**settings)(scene)

    return breaks


def typed(pattern: str) -> Callable[[CheckScene, str], None]:
    """Type the command that stands in the advice."""

    def follows(scene: CheckScene, advice: str) -> None:
        found = re.search(pattern, advice)
        assert found, advice
        scene.must(found[1])

    return follows


# Settings, user, places


def as_root(scene: CheckScene) -> None:
    scene.is_root = True


def type_it_as_the_gateways_user(scene: CheckScene, advice: str) -> None:
    assert "sudo -u slurm-gateway slurm-gateway check" in advice  # who is called CALLER here
    scene.is_root = False


def take_the_state_away(scene: CheckScene) -> None:
    scene.must(f"chown -R root: {scene.state}; chmod 700 {scene.state}")


def move_the_state(scene: CheckScene, advice: str) -> None:
    assert "set GATEWAY_STATE_DIR to another place" in advice
    scene.settings["GATEWAY_STATE_DIR"] = str(scene.site.place / "elsewhere")
    scene.must(f"install -d -m 0700 -o {CALLER} {scene.site.place}/elsewhere")
    done = scene.program.run(
        "token", "make", "--name", "trial", "--scopes", "cluster:read", "--expires", "1d"
    )
    assert done.returncode == 0, done.stderr


def spoil_the_database(scene: CheckScene) -> None:
    database = scene.state / "gateway.sqlite"
    database.with_name("backup").write_bytes(database.read_bytes())
    database.write_bytes(b"nothing that SQLite knows" * 100)


def put_the_backup_in_its_place(scene: CheckScene, _advice: str) -> None:
    database = scene.state / "gateway.sqlite"
    database.write_bytes(database.with_name("backup").read_bytes())


def show_the_secret(scene: CheckScene) -> None:
    (scene.state / "token-secret").chmod(0o644)


def hide_the_secret(scene: CheckScene, advice: str) -> None:
    assert "mode 0600" in advice
    (scene.state / "token-secret").chmod(0o600)


def lose_the_secret(scene: CheckScene) -> None:
    (scene.state / "token-secret").rename(scene.state / "backup")


def find_the_secret(scene: CheckScene, _advice: str) -> None:
    (scene.state / "backup").rename(scene.state / "token-secret")


# Slurm


def stop(daemon: str) -> Callable[[CheckScene], None]:
    return lambda scene: scene.lab.stop_daemon(daemon)


def start(daemon: str) -> Callable[[CheckScene, str], None]:
    def follows(scene: CheckScene, advice: str) -> None:
        assert daemon in advice
        scene.lab.start_daemon(daemon)

    return follows


def an_old_release(scene: CheckScene) -> None:
    scene.replace_tool("scontrol", 'real "$@" | sed "s/^SLURM_VERSION .*/SLURM_VERSION = 20.11.9/"')


def a_clock_ahead(scene: CheckScene) -> None:
    ahead = '"s/\\(at.*(\\)\\([0-9]*\\))/\\1$(( $(date +%s) + 90 )))/"'
    scene.replace_tool("sdiag", f'real "$@" | sed {ahead}')


def mend(tool: str) -> Callable[[CheckScene, str], None]:
    return lambda scene, _advice: scene.restore_tool(tool)


def private(scene: CheckScene) -> None:
    scene.configure(PrivateData="jobs")
    scene.ends.append(lambda: scene.lab.run("sacctmgr", "-i", "delete", "user", CALLER))


def configured(**values: str) -> Callable[[CheckScene], None]:
    return lambda scene: scene.configure(**values)


def as_it_says(name: str, value: str) -> Callable[[CheckScene, str], None]:
    """Set what the advice names in slurm.conf."""

    def follows(scene: CheckScene, advice: str) -> None:
        assert name in advice
        assert value in advice
        scene.configure(**{name: value})

    return follows


def no_accounting(scene: CheckScene) -> None:
    """Let slurmctld say that it has none: one that had would have no GPUs either."""
    none = '"s,accounting_storage/slurmdbd,accounting_storage/none,"'
    scene.replace_tool("scontrol", f'real "$@" | sed {none}')


def accounting_again(scene: CheckScene, advice: str) -> None:
    assert "AccountingStorageType=accounting_storage/slurmdbd" in advice
    scene.restore_tool("scontrol")


# Acting


def nobody_named(scene: CheckScene) -> None:
    scene.arguments = ()


def name_somebody(scene: CheckScene, advice: str) -> None:
    assert "check --as USER" in advice
    scene.arguments = ("--as", ANN)


def no_rules(scene: CheckScene) -> None:
    rules = scene.site.hand.sudoers
    text = rules.read_text()
    rules.write_text("# nothing\n")
    scene.ends.append(lambda: rules.write_text(text))


def the_line_of_sudo(scene: CheckScene, advice: str) -> None:
    assert "sudoers line" in advice
    scene.ends.pop()()


def the_commands_do_without(scene: CheckScene, advice: str) -> None:
    without("GATEWAY_CONNECTOR")(scene, advice)


# Doors


def taken(scene: CheckScene) -> None:
    held = socket.create_server(("127.0.0.1", scene.port))
    scene.ends.append(held.close)


def another_address(scene: CheckScene, advice: str) -> None:
    assert "set GATEWAY_LISTEN" in advice
    scene.settings["GATEWAY_LISTEN"] = f"127.0.0.1:{scene.port + 1}"


def loopback(scene: CheckScene, advice: str) -> None:
    assert "listen at 127.0.0.1" in advice
    scene.settings["GATEWAY_LISTEN"] = f"127.0.0.1:{scene.port + 1}"


def a_certificate(scene: CheckScene, advice: str) -> None:
    assert "GATEWAY_TLS_CERTIFICATE" in advice
    file = make_certificate(scene.site.place).file
    scene.give_back(file)
    scene.settings["GATEWAY_TLS_CERTIFICATE"] = str(file)


def no_token(scene: CheckScene) -> None:
    subprocess.run(["/bin/rm", "-r", str(scene.state)], check=True)


def make_the_token(scene: CheckScene, advice: str) -> None:
    words = advice.partition("slurm-gateway ")[2].split()
    done = scene.program.run(*words)
    assert done.returncode == 0, done.stderr


class _Issuer(BaseHTTPRequestHandler):
    keys: tuple[object, ...] = ()

    def do_GET(self) -> None:
        url = f"http://{self.headers['Host']}"
        is_keys = self.path == "/keys"
        said = {"keys": self.keys} if is_keys else {"issuer": url, "jwks_uri": f"{url}/keys"}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def _issuing(scene: CheckScene) -> HTTPServer:
    server = HTTPServer(("127.0.0.1", 0), _Issuer)
    Thread(target=server.serve_forever, daemon=True).start()
    scene.ends += [server.server_close, server.shutdown]
    told(
        GATEWAY_OIDC_ISSUER=f"http://127.0.0.1:{server.server_address[1]}",
        GATEWAY_OIDC_AUDIENCE="slurm-gateway",
        GATEWAY_ROLES="* may cluster:read",
    )(scene)
    return server


def a_wrong_issuer(scene: CheckScene) -> None:
    _Issuer.keys = (made("P-256").as_dict(private=False),)
    _issuing(scene)
    scene.settings["GATEWAY_OIDC_ISSUER"] += "/"


def as_it_calls_itself(scene: CheckScene, advice: str) -> None:
    assert "exactly as it calls itself" in advice
    scene.settings["GATEWAY_OIDC_ISSUER"] = scene.settings["GATEWAY_OIDC_ISSUER"].rstrip("/")


def an_issuer_without_keys(scene: CheckScene) -> None:
    _Issuer.keys = ()
    _issuing(scene)


def give_it_a_key(_scene: CheckScene, _advice: str) -> None:
    _Issuer.keys = (made("P-256").as_dict(private=False),)


# Letters

MAIL = {
    "SMTP_SERVER": "127.0.0.1",
    "SMTP_PORT": "{port}",
    "GATEWAY_SMTP_SECURITY": "none",
    "GATEWAY_SMTP_FROM": "slurm@hpc.example.org",
}


def name_the_relay(scene: CheckScene, advice: str) -> None:
    assert "SMTP_PORT" in advice
    stack = ExitStack()
    scene.ends.append(stack.close)
    scene.settings["SMTP_PORT"] = str(stack.enter_context(relaying()).port)


QUEUE = {
    "RABBITMQ_HOST": "127.0.0.1",
    "RABBITMQ_PORT": "{port}",
    "RABBITMQ_USERNAME": USER,
    "RABBITMQ_PASSWORD": PASSWORD,
}


def start_the_broker(scene: CheckScene, advice: str) -> None:
    """Its port is another one then."""
    assert "RABBITMQ_PORT" in advice
    require_rabbitmq()
    directory = open_directory()
    stack = ExitStack()
    stack.callback(rmtree, directory)
    scene.ends.append(stack.close)
    broker = stack.enter_context(running_rabbitmq(directory))
    scene.settings["RABBITMQ_PORT"] = str(broker.port)


PEOPLE = {"GATEWAY_ANONYMOUS_SCOPES": "jobs:read:all"}
NETWORK = {"GATEWAY_TRUSTED_NETWORKS": "10.1.0.0/16 may jobs:submit as any"}

CASES = (
    Case(
        "correct it in",
        "settings",
        told(GATEWAY_LISTENS="127.0.0.1:1"),
        lambda scene, _: scene.settings.pop("GATEWAY_LISTENS"),
        "warning",
    ),
    Case("type it as the gateway's user", "user", as_root, type_it_as_the_gateways_user, "warning"),
    Case("to another place", "GATEWAY_STATE_DIR", take_the_state_away, move_the_state),
    Case("put a backup of", "database", spoil_the_database, put_the_backup_in_its_place),
    Case("mode 0600", "secret of tokens", show_the_secret, hide_the_secret),
    Case("put token-secret of", "secret of tokens", lose_the_secret, find_the_secret),
    Case("see that slurmctld and munge run", "Slurm lab", stop("slurmctld"), start("slurmctld")),
    Case("upgrade Slurm", "Slurm lab", an_old_release, mend("scontrol"), "warning"),
    Case("an operator", "Slurm lab: sight", private, typed(r"(sacctmgr -i add .*?) \(")),
    Case(
        "set MinJobAge=",
        "Slurm lab: memory",
        configured(MinJobAge="5"),
        as_it_says("MinJobAge", "300"),
        "warning",
    ),
    Case(
        "let slurmctld write to a slurmdbd",
        "Slurm lab: accounting",
        no_accounting,
        accounting_again,
        "warning",
    ),
    Case("see that slurmdbd", "Slurm lab: accounting", stop("slurmdbd"), start("slurmdbd")),
    Case(
        "add job_comment",
        "Slurm lab: comments",
        configured(AccountingStoreFlags="job_script"),
        as_it_says("AccountingStoreFlags", "job_comment"),
        "warning",
    ),
    Case("let both follow", "Slurm lab: clock", a_clock_ahead, mend("sdiag"), "warning"),
    Case("list users in hand.conf", "executor", nobody_named, name_somebody),
    Case("see that root has installed the hand", "executor", no_rules, the_line_of_sudo),
    Case(
        "see that the socket is there",
        "executor",
        by_way("socket", GATEWAY_HAND_SOCKET="{place}/nowhere"),
        without("GATEWAY_HAND_SOCKET"),
    ),
    Case(
        "see that the executor is installed",
        "executor",
        by_way("setuid", GATEWAY_SETUID_PROGRAM="{place}/nowhere"),
        without("GATEWAY_SETUID_PROGRAM"),
    ),
    Case(
        "see that SSH_HOSTNAME",
        "executor",
        by_way("ssh", GATEWAY_SSH_PORT="{port}"),
        without("GATEWAY_SSH_PORT"),
    ),
    Case(
        "take GATEWAY_CONNECTOR away",
        "slurmrestd",
        told(GATEWAY_CONNECTOR="slurmrestd", GATEWAY_SLURMRESTD_URL="http://127.0.0.1:{port}"),
        the_commands_do_without,
    ),
    Case("see who has it", "listening at", taken, another_address),
    Case(
        "behind a proxy that has TLS",
        "listening at",
        told(GATEWAY_LISTEN="0.0.0.0:{port}", GATEWAY_PLAIN_HTTP="true"),
        loopback,
        "warning",
    ),
    Case(
        "give the gateway's user a PEM",
        "TLS",
        told(GATEWAY_TLS_CERTIFICATE="{place}/nowhere.pem"),
        a_certificate,
    ),
    Case(
        "leave that to tokens",
        "without a token",
        told(**PEOPLE),
        without("GATEWAY_ANONYMOUS_SCOPES"),
        "warning",
    ),
    Case(
        "name hosts of which you know",
        "without a token",
        told(**NETWORK),
        without("GATEWAY_TRUSTED_NETWORKS"),
        "warning",
    ),
    Case("make one, as the gateway's user", "tokens", no_token, make_the_token, "warning"),
    Case("set GATEWAY_OIDC_ISSUER", "OpenID Connect", a_wrong_issuer, as_it_calls_itself),
    Case("let it sign with", "OpenID Connect", an_issuer_without_keys, give_it_a_key),
    Case("see that RABBITMQ_HOST", "letters by rabbitmq", told(**QUEUE), start_the_broker),
    Case("see that SMTP_SERVER", "letters by email", told(**MAIL), name_the_relay),
)
