"""What is wrong with addresses, doors and ways out, and how it is mended."""

import json
import socket
import subprocess
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from tests.e2e.gateway.check_scene import CheckScene
from tests.e2e.gateway.check_steps import told
from tests.fakes.issuer import made
from tests.unit.gateway.post.sinks import make_certificate, relaying


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
