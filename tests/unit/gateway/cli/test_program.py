"""The commands at a terminal as a program: what is loaded, what is said, and with which code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.gateway.scripted import Scripted, Told, job, page, problem, said, scripted

SECRET = "sgw_abcdefgh_0123456789012345678901234567890123456789012"
ASK = (
    "import json, sys; from waldur_slurm.gateway.main import main;"
    " code = main(sys.argv[1:]); print(json.dumps([code, *sys.modules]))"
)


def typed(
    script: Scripted | None, *words: str, **environ: str
) -> "subprocess.CompletedProcess[str]":
    where = {} if script is None else {"GATEWAY_URL": script.url, "GATEWAY_TOKEN": SECRET}
    return subprocess.run(
        [sys.executable, "-m", "waldur_slurm.gateway.main", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, "TZ": "UTC", **where, **environ},
    )


def test_nothing_of_a_server_is_loaded() -> None:
    with scripted(page(7)) as script:
        done = subprocess.run(
            [sys.executable, "-c", ASK, "jobs", "--url", script.url],
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": os.defpath},
        )
    code, *modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    heavy = {"starlette", "uvicorn", "anyio", "asyncio", "sqlite3", "jinja2", "rich", "yaml"}
    assert heavy.isdisjoint(modules)
    ours = {name.split(".")[2] for name in modules if name.startswith("waldur_slurm.gateway.")}
    assert ours.isdisjoint({"web", "store", "composition", "settings", "commands", "picture"})


def test_without_an_address_it_is_said_what_is_missing() -> None:
    done = typed(None, "jobs")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("slurm-gateway: GATEWAY_URL is not set")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        (problem("not-signed-in", 401), 77, "why; set GATEWAY_TOKEN"),
        (problem("denied", 403), 77, "`slurm-gateway me`"),
        (problem("not-there", 404), 66, "why"),
        (problem("not-now", 503, after=60), 75, "why; nothing was done; ask again later"),
        (problem("refused", 422, refusal="other", limit=None), 65, "why"),
        (Told(404, b"<html>nginx</html>"), 69, "404 <html>nginx</html>"),
        (Told(None), 75, "the gateway does not answer"),
        (said(sign="in"), 69, "is the address right?"),
    ],
)
def test_what_goes_wrong_is_one_sentence_with_what_to_do(told: Told, code: int, words: str) -> None:
    with scripted(told) as script:
        done = typed(script, "show", "7", "--patience", "0")
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("slurm-gateway: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_gateway_that_is_away_is_said_to_be() -> None:
    done = typed(None, "jobs", "--url", "http://127.0.0.1:1", "--patience", "0")
    assert (done.returncode, done.stdout) == (75, "")
    assert "does not answer: Connection refused" in done.stderr


def test_hostile_words_of_a_refusal_do_not_reach_the_terminal_raw() -> None:
    detail = f"\x1b[2J\nslurm-gateway: all is well {SECRET}"
    body = {"type": "urn:slurm-gateway:problem:refused", "detail": detail}
    with scripted(Told(422, json.dumps(body).encode())) as script:
        done = typed(script, "show", "7")
    assert done.returncode == 65
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stderr


def test_the_token_reaches_the_gateway_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    with scripted(said(**job("RUNNING", name=SECRET))) as script:
        done = typed(script, "show", "7", "--token-file", str(file), GATEWAY_TOKEN="another")
    assert script.heard[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert done.returncode == 0
    assert SECRET not in done.stdout + done.stderr


def test_a_script_comes_from_standard_input_too() -> None:
    with scripted(problem("denied", 403)) as script:
        done = subprocess.run(
            [sys.executable, "-m", "waldur_slurm.gateway.main", "submit", "-"],
            check=False,
            input="#!/bin/sh\n",
            capture_output=True,
            text=True,
            env={"PATH": os.defpath, "GATEWAY_URL": script.url},
        )
    assert done.returncode == 77
    assert json.loads(script.heard[0].body)["script"] == "#!/bin/sh\n"


def test_whoever_reads_no_further_is_no_error_of_ours() -> None:
    with scripted(page(*range(2000))) as script:
        done = subprocess.run(
            ["/bin/sh", "-c", f"{sys.executable} -m waldur_slurm.gateway.main jobs | head -1"],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": os.defpath, "GATEWAY_URL": script.url},
        )
    assert done.stdout.startswith("JOB")
    assert "Traceback" not in done.stderr


def test_what_the_terminal_reads_is_no_unknown_setting_of_the_gateway(tmp_path: Path) -> None:
    told = {"GATEWAY_URL": "https://x", "GATEWAY_TOKEN": "t", "GATEWAY_CACERT": "/x"}
    done = typed(None, "settings", GATEWAY_STATE_DIR=str(tmp_path / "state"), **told)
    assert done.returncode == 0, done.stderr
    assert "has no effect" not in done.stdout
