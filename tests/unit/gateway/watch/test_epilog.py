"""The epilog that is shipped, run as slurmctld runs it, against a program that listens."""

import json
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.places import PROJECT
from tests.unit.gateway.post.sinks import HttpSink, serving
from waldur_slurm.gateway.watch.signed import is_recent, is_signed

EPILOG = PROJECT / "systemd-conf" / "gateway" / "slurm-gateway-epilog"
NOBODYS = "url=http://127.0.0.1:1\nsecret=" + "s" * 32 + "\n"
SECRETS = ["0123456789abcdef" * 4, "!'\"$`\\%~&;|<>(){}[]*?#a1-b2_c3.d", "s" * 32]


def run(tmp_path: Path, told: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run it with a file of its own, and with commands that write down how they are called."""
    conf = tmp_path / "hook.conf"
    conf.write_text(told)
    script = tmp_path / "epilog"
    text = EPILOG.read_text().replace("/etc/slurm-gateway/hook.conf", str(conf))
    text = text.replace("PATH=/usr/bin:/bin", f"PATH={tmp_path}:/usr/bin:/bin")
    script.write_text(text)
    for name in ("curl", "openssl", "date"):
        called = tmp_path / name
        called.write_text(
            f'#!/bin/sh\necho "$0 $*" >>{tmp_path}/called\nexec /usr/bin/{name} "$@"\n'
        )
        called.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(script)], check=False, capture_output=True, text=True, env=environ
    )


def told_by(sink: HttpSink, secret: str) -> str:
    return f"url=http://127.0.0.1:{sink.port}\nsecret={secret}\n"


@pytest.mark.parametrize("secret", SECRETS)
def test_it_says_which_job_ends_signed_as_the_gateway_expects(tmp_path: Path, secret: str) -> None:
    with serving() as sink:
        done = run(
            tmp_path,
            told_by(sink, secret),
            SLURM_JOB_ID="130",
            SLURM_CLUSTER_NAME="lab",
            SLURM_ARRAY_JOB_ID="123",
        )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (heard,) = sink.heard
    assert heard.path == "/api/v1/hooks/job"
    assert json.loads(heard.body) == {"job_id": 130, "cluster": "lab", "array_job_id": 123}
    said = heard.headers["x-hook-time"]
    assert is_signed(secret, said, heard.body, heard.headers["x-hook-signature"])
    assert is_recent(said, datetime.now(UTC))


def test_the_secret_stands_on_no_command_line(tmp_path: Path) -> None:
    with serving() as sink:
        run(tmp_path, told_by(sink, SECRETS[0]), SLURM_JOB_ID="1")

    called = (tmp_path / "called").read_text()
    assert "curl" in called
    assert "openssl" in called
    assert SECRETS[0] not in called


@pytest.mark.parametrize(
    ("told", "environ", "says"),
    [
        ("", {"SLURM_JOB_ID": "1"}, "has no url= or no secret="),
        (NOBODYS, {"SLURM_JOB_ID": "1"}, "http://127.0.0.1:1 did not take it"),
        (NOBODYS, {}, "SLURM_JOB_ID is not set"),
    ],
)
def test_whatever_is_wrong_is_said_and_holds_up_no_job_and_drains_no_node(
    tmp_path: Path, told: str, environ: dict[str, str], says: str
) -> None:
    done = run(tmp_path, told, **environ)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1].endswith(says)


def test_a_gateway_that_refuses_it_is_said(tmp_path: Path) -> None:
    with serving() as sink:
        sink.status = 401

        done = run(tmp_path, told_by(sink, SECRETS[0]), SLURM_JOB_ID="1")

    assert done.returncode == 0
    assert "401" in done.stderr
    assert SECRETS[0] not in done.stderr


def test_a_file_that_slurmctlds_user_cannot_read_is_said(tmp_path: Path) -> None:
    """As where root wrote it, and SlurmUser is somebody else."""
    script = tmp_path / "epilog"
    script.write_text(
        EPILOG.read_text().replace("/etc/slurm-gateway/hook.conf", str(tmp_path / "nowhere"))
    )

    done = subprocess.run(
        ["/bin/sh", str(script)], check=False, capture_output=True, text=True, env={}
    )

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith(f"cannot read {tmp_path}/nowhere\n")


def test_a_gateway_that_does_not_answer_is_left_after_a_while(tmp_path: Path) -> None:
    with serving() as sink:
        sink.before_answer = lambda: time.sleep(20)

        done = run(tmp_path, told_by(sink, SECRETS[0]), SLURM_JOB_ID="1")

    assert done.returncode == 0
    assert len(sink.heard) == 1
