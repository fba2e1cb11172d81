"""A gateway with a marked secret in each place where one can stand, and all that came out of it."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.e2e.gateway.acting import SCOPES, ActingGateway, ActingSite
from tests.e2e.gateway.gateway import Answer
from tests.trust.hunting import Place, Sink, sentry
from tests.unit.gateway.post.sinks import (
    HttpSink,
    Relay,
    accepting,
    make_certificate,
    relaying,
    serving,
)

EVERYTHING = f"{SCOPES},monitor:read,monitor:write,apps:admin,metrics:read,accounts:read"
NOBODY_LISTENS = "127.0.0.1:9"
APP_ID = "a9a5fc66-9bed-4a13-874a-d8d7d1756224"

SMTP = "mailPassw0rdOfThisSite"
RABBITMQ = "queuePassw0rdOfThisSite"
SLACK = "xoxb-tokenOfTheBotOfThisSite"
APPRISE = "tokenOfTheChatOfThisSite"
WEBHOOK = "signsLettersOfThisSite0123"
HOOK = "signsEpilogsOfThisSite0123" * 2
OIDC = "clientSecretOfThisSite0123"
DATABASE = "accountingPassw0rdOfThisSite"
APP = "challengeOfTheAppOfThisSite"
DSN = "d5nKeyOfThisSite0123456789abcdef"
PROXY = "pr0xyPassw0rdOfThisSite"
JWT = "eyJhbGciOiJIUzI1NiJ9.tokenOfSlurmOfThisSite.proofOfIt"
JWT_KEY = "a2V5T2ZTbHVybU9mVGhpc1NpdGU"
GMAIL = "1//refreshTokenOfThisSite"
OF_THE_SITE = (
    SMTP, RABBITMQ, SLACK, APPRISE, WEBHOOK, HOOK, OIDC, DATABASE, APP, DSN, PROXY, JWT, JWT_KEY,
    GMAIL,
)  # fmt: skip


@dataclass
class Onlooker:
    """One who looks at every process of the machine, as each user may, for as long as it runs."""

    seen: set[str] = field(default_factory=set)
    _is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.2):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self.seen.add((process / "cmdline").read_bytes().decode(errors="replace"))
                except OSError:
                    continue  # it has ended


@dataclass
class Marked:
    site: ActingSite
    gateway: ActingGateway
    token: str
    relay: Relay
    hook: HttpSink
    errors: Sink
    onlooker: Onlooker
    answers: list[Place] = field(default_factory=list)

    @property
    def methods(self) -> dict[str, dict[str, str]]:
        return {
            "email": {"recipient": "ann@example.org"},
            "webhook": {"url": f"http://127.0.0.1:{self.hook.port}/jobs"},
            "gmail": {"recipient": "ann@example.org"},
            "slack": {},
            "rabbitmq": {"queue": "jobs"},
            "apprise": {"target": "ops"},
        }

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Ask, and keep what was answered."""
        answer = self.gateway.ask(method, path, body, headers)
        told = f"{answer.status} {answer.headers} {answer.body.decode(errors='replace')}"
        self.answers.append((f"answer of {method} {path[:20]}", told))
        return answer

    def send(self, method: str, path: str, body: object = None) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        return self.ask(method, path, content, Authorization=f"Bearer {self.token}")

    def letters(self) -> Iterator[Place]:
        yield from (("a mail", message.as_string()) for message in self.relay.taken)
        for heard in self.hook.heard:
            yield "a letter to a program", f"{heard.path} {heard.headers} {heard.body!r}"


def settings(place: Path, relay: Relay, errors: Sink) -> dict[str, str]:
    google = place / "google.json"
    google.write_text(
        json.dumps(
            {
                "type": "authorized_user",
                "client_id": "x",
                "client_secret": GMAIL,
                "refresh_token": GMAIL,
            }
        )
    )
    return {
        "GATEWAY_LOG_LEVEL": "debug",
        "MONITOR_POLLING_INTERVAL": "1s",
        "SMTP_SERVER": "localhost",
        "SMTP_PORT": str(relay.port),
        "SMTP_USERNAME": "gateway",
        "SMTP_PASSWORD": SMTP,
        "GATEWAY_SMTP_FROM": "slurm@hpc.example.org",
        "SSL_CERT_FILE": str(place / "relay.pem"),
        "GMAIL_CREDENTIALS_PATH": str(google),
        "RABBITMQ_HOST": "127.0.0.1",
        "RABBITMQ_PORT": "9",
        "RABBITMQ_PASSWORD": RABBITMQ,
        "SLACK_BOT_TOKEN": SLACK,
        "SLACK_CHANNEL": "#hpc",
        "GATEWAY_APPRISE_TARGETS": f"ops=json://user:{APPRISE}@{NOBODY_LISTENS}/{APPRISE}",
        "GATEWAY_WEBHOOK_SECRET": WEBHOOK,
        "GATEWAY_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "GATEWAY_LETTERS_ALLOWED": "* may recipient:* target:* queue:jobs hourly:500",
        "GATEWAY_HOOK_SECRET": HOOK,
        "GATEWAY_OIDC_ISSUER": f"http://{NOBODY_LISTENS}",
        "GATEWAY_OIDC_AUDIENCE": "slurm-gateway",
        "GATEWAY_ROLES": "* may jobs:read",
        "GATEWAY_OIDC_CLIENT_ID": "dashboard",
        "GATEWAY_OIDC_CLIENT_SECRET": OIDC,
        "GATEWAY_OIDC_REDIRECT_URL": "http://127.0.0.1/ui/oidc/callback",
        "GATEWAY_ACCOUNTING_DATABASE": f"mysql://slurm:{DATABASE}@{NOBODY_LISTENS}/slurm_acct_db",
        "GATEWAY_APPS_DIR": str(place / "apps"),
        "GATEWAY_APPS": json.dumps([{"name": "portal", "uuid": APP_ID, "token": APP}]),
        "SENTRY_DSN": f"http://{DSN}@127.0.0.1:{errors.port}/1",
        "HTTPS_PROXY": f"http://gateway:{PROXY}@{NOBODY_LISTENS}",
        "SLURM_JWT": JWT,
        "SLURM_JWT_HS256_KEY_BASE64": JWT_KEY,
    }


@contextmanager
def marked(site: ActingSite) -> Iterator[Marked]:
    with ExitStack() as stack:
        enter = stack.enter_context
        knows = accepting("gateway", SMTP)
        certificate = make_certificate(Path(enter(TemporaryDirectory())))
        _, begin, public = certificate.file.read_text().partition("-----BEGIN CERTIFICATE")
        (site.place / "relay.pem").write_text(begin + public)
        relay = enter(relaying(authenticator=knows, tls_context=certificate.server()))
        hook, errors, onlooker = enter(serving()), enter(sentry()), Onlooker()
        enter(onlooker.looking())
        token = site.token(name="portal", scopes=EVERYTHING)
        told: Any = settings(site.place, relay, errors)
        gateway = enter(site.running(**told))
        yield Marked(site, gateway, token, relay, hook, errors, onlooker)
