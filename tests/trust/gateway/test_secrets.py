"""Each secret stays where it belongs, whatever is asked and whatever fails.

A real gateway with a marked secret in each place where one can stand acts, tells, refuses and
crashes; then all that it answered, logged, kept, sent and started is searched for each of them.
"""

import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.e2e.gateway.acting import SMALL, ActingSite
from tests.e2e.program import TOOLS, eventually
from tests.fixtures_hand import ANN
from tests.trust.gateway.marked import (
    APP,
    APP_ID,
    OF_THE_SITE,
    SMTP,
    WEBHOOK,
    Marked,
    Onlooker,
    marked,
    settings,
)
from tests.trust.hunting import Place, Sink, assert_none_is_told, files_below
from tests.unit.gateway.post.sinks import Relay
from waldur_slurm.gateway.settings.declaration import Settings

OF_A_JOB = "apiKeyOfAnnsInHerEnvironment"
OF_A_SCRIPT = "passphraseOfAnnsInHerScript"
OF_A_TARGET = "tokenOfAnnsInTheAddress"
OF_A_TASK = "passwordOfAnnsInHerTask"
GUESS = f"sgw_abcdefgh_{'markedGuess' * 4}"[:56]
FORGED = f"eyJhbGciOiJSUzI1NiIsImtpZCI6Im1hcmtlZCJ9.{'markedClaims' * 4}.{'markedProof' * 6}"
OWN = {
    OF_A_TARGET: ("/api/v1/monitors", "/ui/monitors", "gateway.sqlite", "letter to a program"),
    OF_A_TASK: ("/api/v1/tasks", "/api/v1/monitors", "/ui/tasks", "GET /monitor", "gateway.sqlite"),
}
"""The address is Ann's own, and so is what she wrote in a task, which its monitor shows as well:
she is shown both, and they are kept where letters and tasks are."""
WATCHED = "cat /proc/$$/environ /proc/$$/cmdline /proc/$PPID/cmdline >>{seen} 2>/dev/null"
"""What a tool can see of whoever starts it, at its beginning."""


def test_each_setting_that_is_a_secret_is_marked_here(tmp_path: Path) -> None:
    set_here = settings(tmp_path, Relay(), Sink())
    secret = {each.name for each in Settings.variables() if each.is_secret}

    assert {
        name for name in secret if any(mark in set_here[name] for mark in OF_THE_SITE)
    } == secret


def test_no_secret_leaves_a_gateway_at_work_or_in_trouble(acting_site: ActingSite) -> None:
    seen = acting_site.place / "seen"
    for tool in TOOLS:
        told = (acting_site.tools / tool).read_text()
        look = WATCHED.format(seen=seen)
        (acting_site.tools / tool).write_text(told.replace("#!/bin/sh\n", f"#!/bin/sh\n{look}\n"))
    seen.touch()
    seen.chmod(0o666)
    acting_site.sbatch(f'{WATCHED.format(seen=seen)}; real "$@"')

    with marked(acting_site) as site:
        cookie = sign_in(site)
        job = hand_in(site)
        task = hand_in_a_task(site)
        tell_of(site, job)
        show_what_is_no_good(site, cookie)
        refuse_with_what_was_sent(site)
        look_everywhere(site, cookie)
        assert site.send("DELETE", f"/api/v1/jobs/{task}").status < 300
        run_commands(site)
        show_it_without_a_store(site)
        token_secret = (acting_site.place / "state" / "token-secret").read_text().strip()
        site.gateway.daemon.signal(signal.SIGABRT)
        site.gateway.daemon.process.wait(30)

    assert "SLURM_CONF=" in seen.read_text(), "what tools are given was not looked at"
    assert any("gateway" in each for each in site.onlooker.seen), "nobody looked at processes"
    secrets = [*OF_THE_SITE, site.token[13:], GUESS[13:], FORGED[-40:], token_secret, cookie]
    secrets += [OF_A_JOB, OF_A_SCRIPT, OF_A_TARGET, OF_A_TASK]
    assert_none_is_told(secrets, everything(site), OWN)


def test_no_key_leaves_a_gateway_that_acts_by_ssh(acting_site: ActingSite) -> None:
    onlooker, answers = Onlooker(), []
    token = acting_site.token(ANN)
    with (
        onlooker.looking(),
        acting_site.running("ssh", GATEWAY_LOG_LEVEL="debug") as gateway,
    ):
        made = gateway.submit(token)
        assert made.status == 201, made.body
        job = f"/api/v1/jobs/{made.json['job_id']}"
        for method, path in (("GET", "/api/v1/jobs"), ("DELETE", job), ("GET", f"{job}/files")):
            answers.append(("an answer", str(gateway.send(token, method, path))))

    key = acting_site.place / "ssh_key"
    lines = [line for line in key.read_text().splitlines() if len(line) > 40]
    places = [*answers, *(("a process", text) for text in onlooker.seen)]
    kept = [each for each in files_below(acting_site.place) if each[0] != str(key)]
    assert any(text.startswith("ssh\0-F") for text in onlooker.seen), "nobody looked at ssh"
    assert_none_is_told([*lines[1:], token[13:]], [*places, *kept])


def sign_in(site: Marked) -> str:
    """Begin a session by the token; return its cookie, which nobody else is told."""
    body = f"token={site.token}".encode()
    answer = site.gateway.ask("POST", "/ui/sign-in", body)
    found = re.match(r"sgw_session=([^;]+);", answer.headers.get("set-cookie", ""))
    assert found, answer
    return found[1]


def hand_in(site: Marked) -> str:
    asked = {
        "user": ANN,
        "script": f"#!/bin/sh\n: {OF_A_SCRIPT}\nsleep 600\n",
        "environment": {"API_KEY": OF_A_JOB},
        "options": SMALL,
    }
    answer = site.send("POST", "/api/v1/jobs", asked)
    assert answer.status == 201, answer.body
    return str(answer.json["job_id"])


def hand_in_a_task(site: Marked) -> str:
    """A task is kept as it was given, with its script and variables, for who may see it."""
    home = site.site.hand.home(ANN)
    asked = {
        "uuid": "marked",
        "username": ANN,
        "cwd": str(home),
        "script": f"#!/bin/sh\n: {OF_A_TASK}\nsleep 600\n",
        "slurm": {"time_limit": 5, "mem": 10, "environment": {"API_KEY": OF_A_TASK}},
        "dirs": {"parent": f"{home}/a", "output": f"{home}/a/o", "error": f"{home}/a/o"},
    }
    answer = site.send("POST", "/api/v1/tasks", asked)
    assert answer.status == 201, answer.body
    assert OF_A_TASK in site.send("GET", "/api/v1/tasks/marked").body.decode()
    return str(answer.json["job_id"])


def tell_of(site: Marked, job: str) -> None:
    """Have its end told by every way, of which each fails first or for good."""
    site.hook.status, site.hook.body = 500, f"{WEBHOOK} {SMTP}".encode()
    site.hook.headers = {"Retry-After": WEBHOOK, "X-Debug": WEBHOOK}
    site.relay.to_message = f"451 try later, {SMTP}"
    methods = site.methods
    methods["webhook"]["url"] += f"?token={OF_A_TARGET}"
    watched = site.send("POST", "/api/v1/monitors", {"job_id": job, "methods": methods})
    assert watched.status == 201, watched.body
    path = f"/api/v1/monitors/{watched.json['id']}/notifications"
    assert site.send("DELETE", f"/api/v1/jobs/{job}").status < 300

    def were_tried() -> bool:
        letters = site.send("GET", path).json["letters"]
        return len(letters) == len(methods) and all(each["tries"] > 0 for each in letters)

    eventually(were_tried, "each way was tried", 120)
    site.relay.to_message = "250 OK"
    site.hook.status = 204


def show_what_is_no_good(site: Marked, cookie: str) -> None:
    token = site.token
    shown: tuple[Mapping[str, str], ...] = (
        {"Authorization": f"bearer {token} "},
        {"Authorization": token},
        {"Authorization": f"Bearer {token}", "X-Auth-Token": token},
        {"Authorization": f"Basic {token}"},
        {"Authorization": f"Bearer {FORGED}"},
        {"X-Auth-Token": GUESS},
        {"X-Auth-Token": f"{APP}x"},
        {"User": token, "Host": token[:60]},
        {"Cookie": f"sgw_session={cookie}x; other={token}"},
        {"Cookie": f"sgw_session={cookie}", "Origin": "https://evil.example"},
    )
    for path in ("/api/v1/me", f"/api/v1/jobs?token={token}", f"/{token}", "/ui/queue", "/apps"):
        for headers in shown:
            site.ask("GET", path, None, **headers)
    for body in (f"token={token}x", f"token={GUESS}", f"token={FORGED}&back=/{token}"):
        site.ask("POST", "/ui/sign-in", body.encode())
    site.ask("GET", f"/ui/oidc/callback?code={GUESS}&state={FORGED}")
    site.ask("POST", "/api/v1/hooks/job", b"{}", X_Signature_256=f"sha256={GUESS}")


def refuse_with_what_was_sent(site: Marked) -> None:
    """Let sbatch say all that it was given, to the one whose it is."""
    site.site.sbatch("cat >/dev/null; env >&2; exit 1")
    asked = {"user": ANN, "script": f"#!/bin/sh\n: {OF_A_SCRIPT}\n", "options": SMALL}
    answer = site.send("POST", "/api/v1/jobs", asked | {"environment": {"API_KEY": OF_A_JOB}})
    assert answer.status >= 400


def look_everywhere(site: Marked, cookie: str) -> None:
    for path in (
        "/metrics", "/readyz", "/version", "/docs", "/api/v1/openapi.json", "/api/v1/me", "/queue",
        "/api/v1/jobs", "/api/v1/clusters", "/api/v1/apps", "/users", "/history", "/api/v1/tasks",
        "/api/v1/history", "/api/v1/users", "/slurm/diag", "/monitor/",
        "/api/v1/monitors", "/api/v1/letters",
    ):  # fmt: skip
        site.send("GET", path)
    for path in (
        "/ui/queue",
        "/ui/monitors",
        "/ui/overview",
        "/ui/apps",
        "/ui/history",
        "/ui/tasks",
    ):
        assert site.ask("GET", path, Cookie=f"sgw_session={cookie}").status in (200, 403), path
    site.ask("GET", f"/apps/{APP_ID}/jobs", None, X_Auth_Token=APP, User=ANN)
    assert not site.gateway.daemon.log.count("request.crashed")


def show_it_without_a_store(site: Marked) -> None:
    state = site.site.place / "state"
    (state / "gateway.sqlite").rename(state / "away")
    for token in (site.token, GUESS, APP):
        site.ask("GET", "/api/v1/letters", None, Authorization=f"Bearer {token}")


def run_commands(site: Marked) -> None:
    """What a terminal shows is kept by the program."""
    program = site.gateway.program
    for arguments in (
        ("settings",),
        ("settings", "--json"),
        ("check", "--as", ANN),
        ("token", "list"),
        ("letter", "list"),
        ("letter", "test", "email", "recipient=ann@example.org"),
    ):
        assert program.run(*arguments).returncode in (0, 1, 2), arguments


def everything(site: Marked) -> Iterator[Place]:
    yield from site.answers
    yield from site.letters()
    yield from (("Sentry", text) for text in site.errors.received)
    yield from (("a process", text) for text in site.onlooker.seen)
    yield from (("what was said", text) for text in site.gateway.program.said)
    for where, text in files_below(site.site.place):
        if Path(where).name not in ("token-secret", "google.json"):
            yield where, text
