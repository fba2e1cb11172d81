"""The real daemon, watched from outside while Waldur cannot be reached."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.places import PROJECT

TOKEN = "9e1132b9616ebfe943ddf632ca32bbb7e1109a32"


@pytest.fixture
def environ(tmp_path: Path, own_port: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "WALDUR_SYNC_DIRECTION": "pull",
        "WALDUR_API_URL": "http://127.0.0.1:9/api/",
        "WALDUR_API_TOKEN": TOKEN,
        "WALDUR_OFFERING_UUID": "e21a0f0030b447deb63bedf69db6742e",
        "SLURM_DEPLOYMENT_TYPE": "native",
        "SLURM_TRES_CONFIG_PATH": str(PROJECT / "config-components.yaml"),
        "REQUESTS_TIMEOUT": "1",
        "AGENT_STATE_DIR": str(tmp_path / "state"),
        "AGENT_HTTP_LISTEN": f"127.0.0.1:{own_port}",
    }


@contextmanager
def agent(environ: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "waldur_slurm.main"],
        cwd=PROJECT,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def page(environ: Mapping[str, str], path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(
            f"http://{environ['AGENT_HTTP_LISTEN']}{path}", timeout=5
        ) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def page_with(environ: Mapping[str, str], path: str, words: str) -> tuple[int, str]:
    """Ask until the page has these words in it."""
    deadline = time.monotonic() + 60
    while True:
        try:
            status, text = page(environ, path)
        except urllib.error.URLError:
            status, text = 0, ""
        if words in text:
            return status, text
        assert time.monotonic() < deadline, text
        time.sleep(0.2)


def test_a_daemon_whose_waldur_is_down_lives_does_not_work_and_says_why(
    environ: dict[str, str],
) -> None:
    with agent(environ) as process:
        status, why = page_with(environ, "/readyz", "refused")
        alive = page(environ, "/healthz")
        _, metrics = page(environ, "/metrics")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=15)

    assert status == 503
    assert why.startswith("no cycle has ended well in the ")
    assert "Connection refused" in why
    assert alive == (200, "alive\n")
    assert "agent_ready 0.0\n" in metrics
    assert 'agent_cycle_seconds_count{outcome="failed"} 1.0\n' in metrics
    assert 'agent_events_total{event="cycle.failed",level="warning"} 1.0\n' in metrics
    assert 'agent_waldur_request_seconds_count{method="GET",outcome="unanswered"}' in metrics
    assert TOKEN not in why + metrics + log
    assert "GET /" not in log
    assert process.returncode == 0


def test_two_services_on_one_port_are_told_apart(environ: dict[str, str], tmp_path: Path) -> None:
    with agent(environ) as first:
        page_with(environ, "/healthz", "alive")
        other = environ | {"AGENT_STATE_DIR": str(tmp_path / "other")}
        with agent(other) as second:
            _, said = second.communicate(timeout=30)
        assert first.poll() is None

    assert second.returncode == 75
    port = environ["AGENT_HTTP_LISTEN"].partition(":")[2]
    assert f"AGENT_HTTP_LISTEN: cannot listen on port {port} of 127.0.0.1" in said
    assert "Address already in use" in said


def test_nothing_listens_and_no_library_is_loaded_unless_somebody_asks_for_it(
    environ: dict[str, str],
) -> None:
    del environ["AGENT_HTTP_LISTEN"]
    with agent(environ | {"PYTHONPROFILEIMPORTTIME": "1"}) as process:
        for line in process.stderr or ():
            assert "prometheus" not in line
            assert "http.server" not in line
            if "cycle.failed" in line:
                break
        else:
            raise AssertionError("it ended before its first cycle did")
        listening = Path(f"/proc/{process.pid}/net/tcp").read_text()
        own = {str(fd.readlink()) for fd in Path(f"/proc/{process.pid}/fd").iterdir()}

    listeners = [line.split() for line in listening.splitlines()[1:]]
    assert not {f"socket:[{row[9]}]" for row in listeners if row[3] == "0A"} & own


@pytest.mark.parametrize(
    "text", ["9464", ":9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "::1:9464", "a b:1"]
)
def test_an_address_that_is_none_is_a_wrong_setting(environ: dict[str, str], text: str) -> None:
    with agent(environ | {"AGENT_HTTP_LISTEN": text}) as process:
        _, said = process.communicate(timeout=30)

    assert process.returncode == 78
    assert f"AGENT_HTTP_LISTEN: found '{text}', expected a host and a port" in said
