"""What `docs/gateway.md` says of letters, typed to the letter; and a gateway that posts them.

No Slurm is needed: letters are of jobs that the gateway has heard of already.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.test_submit_page import block
from tests.patience import AT_ONCE_S
from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.post.sinks import Relay, relaying
from waldur_slurm.gateway.post.allowed import check_methods
from waldur_slurm.gateway.post.cycle import now_utc
from waldur_slurm.gateway.post.letter import Letter, Method, Stage
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.sqlite import Database


def settings(state: Path, relay: Relay) -> dict[str, str]:
    """Those of the page, but for where the relay is."""
    shown = dict(line.split("=", 1) for line in block("Letters", language="ini"))
    here = {
        "SMTP_SERVER": "127.0.0.1",
        "SMTP_PORT": str(relay.port),
        "GATEWAY_SMTP_SECURITY": "none",
        "GATEWAY_STATE_DIR": str(state),
    }
    return {"PATH": os.defpath, **shown, **here}


def test_the_lines_of_letters_do_what_they_say(tmp_path: Path) -> None:
    lines = "\n".join(block("Letters"))
    run = f'slurm-gateway() {{ {sys.executable} -m waldur_slurm.gateway.main "$@"; }}\n'
    with relaying() as relay:
        said = subprocess.run(
            ["/bin/bash", "-ec", run + lines],
            env={**settings(tmp_path, relay), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )

    (message,) = relay.taken
    assert (message["From"], message["To"]) == ("slurm@hpc.example.org", "ann@example.org")
    first, heading, row = said.stdout.splitlines()
    assert "was taken by email" in first
    assert heading.split()[:3] == ["letter", "made", "event"]
    assert row.split()[0] == message["Message-ID"][1:].partition("@")[0]
    assert "delivered" in row


def test_the_sentences_of_the_page_are_taken_as_they_are() -> None:
    (line,) = block("Who may have letters sent where", language="ini")
    name, _, value = line.partition("=")
    told = Settings.from_environ({name: value.strip('"')}).letters

    mail = {Method.EMAIL: {"recipient": "ann@example.org"}}
    queue = {Method.RABBITMQ: {"queue": "portal.jobs"}}
    assert check_methods(told.allowed, "token:portal(x1)", mail | queue) == ()
    assert [each.method for each in check_methods(told.allowed, "person:ann", mail | queue)] == [
        Method.RABBITMQ
    ]


def test_a_gateway_that_serves_posts_what_waits_until_it_is_taken(tmp_path: Path) -> None:
    database = Database(tmp_path / "gateway.sqlite")
    letters = StoredLetters(database)
    now = now_utc()
    for message_id in ("one", "two"):
        letters.add(replace(letter(message_id), made=now, next_try=now))

    ports = claim_ports(1)
    with relaying() as relay, ports.claim:
        relay.to_message = "451 greylisted"
        gateway = subprocess.Popen(
            [sys.executable, "-m", "waldur_slurm.gateway.main"],
            env={
                **settings(tmp_path, relay),
                "GATEWAY_LISTEN": f"127.0.0.1:{ports.first}",
                "GATEWAY_CLUSTERS": "lab",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_until(letters, lambda each: "451 greylisted" in each.last_words)
            relay.to_message = "250 OK"
            wait_until(letters, lambda each: each.stage is Stage.DELIVERED)
        finally:
            gateway.terminate()
            _, told = gateway.communicate(timeout=AT_ONCE_S)
            database.close()

    assert gateway.returncode == 0, told
    assert sorted(message["Message-ID"] for message in relay.taken) == [
        "<one@hpc.example.org>", "<two@hpc.example.org>",
    ]  # fmt: skip
    assert told.count("letter.later") == 1
    assert told.count("letter.delivered") == 2


def wait_until(letters: StoredLetters, holds: Callable[[Letter], bool]) -> None:
    end = time.monotonic() + AT_ONCE_S
    while not all(map(holds, letters.latest(9))):
        assert time.monotonic() < end, letters.latest(9)
        time.sleep(0.05)
