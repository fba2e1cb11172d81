"""The command line, typed as a person would: what is said, where, and with which exit code."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.places import PROJECT
from waldur_slurm import __version__
from waldur_slurm.agent.daemon.alone import only_agent

MODULE = "waldur_slurm.main"
TOKEN = "9e1132b9616ebfe943ddf632ca32bbb7e1109a32"
COMPLETE = {
    "WALDUR_SYNC_DIRECTION": "pull",
    "WALDUR_API_URL": "http://127.0.0.1:9/api/",
    "WALDUR_API_TOKEN": TOKEN,
    "WALDUR_OFFERING_UUID": "e21a0f0030b447deb63bedf69db6742e",
}


def typed(
    *arguments: str | Path, environ: Mapping[str, str] = COMPLETE
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", MODULE, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, **environ},
    )


def test_version_and_help_need_no_settings() -> None:
    version, usage = typed("--version", environ={}), typed("--help", environ={})

    assert (version.returncode, version.stdout) == (0, f"waldur-slurm-agent {__version__}\n")
    assert usage.returncode == 0
    assert max(map(len, usage.stdout.splitlines())) <= 80
    for word in ("check", "settings", "--load-components", "--diag", "examples:", "78"):
        assert word in usage.stdout


@pytest.mark.parametrize(
    "arguments", [["dance"], ["--dry-run"], ["--diag", "settings"], ["check", "--loud"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    done = typed(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: waldur-slurm-agent" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["check"], ["--diag"], ["settings"], ["once"], ["plan"], ["--load-components"]],
)
def test_wrong_settings_exit_with_78_and_every_mistake(arguments: list[str]) -> None:
    done = typed(*arguments, environ={"WALDUR_SYNC_DIRECTION": "sideways"})

    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) == 5
    assert "WALDUR_SYNC_DIRECTION: found 'sideways', expected pull or push" in done.stderr


def test_whoever_has_set_nothing_is_told_of_the_env_file_unless_it_is_the_service() -> None:
    told = "settings that stand in a file are read with --env-file, as in: waldur-slurm-agent"

    assert told in typed("check", environ={}).stderr
    assert told not in typed(environ={"NOTIFY_SOCKET": "/run/systemd/notify"}).stderr
    misspelt = COMPLETE | {"WALDUR_SYNC_DIRECTION": "sideways"}
    assert told not in typed("check", environ=misspelt).stderr


@pytest.mark.parametrize("is_first", [True, False])
def test_an_env_file_may_be_named_before_the_command_or_after_it(
    tmp_path: Path, is_first: bool
) -> None:
    file = tmp_path / "agent.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in COMPLETE.items()))
    named = ("--env-file", file)

    done = typed(*(named * is_first), "settings", *(named * (not is_first)), environ={})

    assert done.returncode == 0, done.stderr
    assert COMPLETE["WALDUR_OFFERING_UUID"] in done.stdout


def test_advice_repeats_the_env_file_that_was_named(tmp_path: Path) -> None:
    file = tmp_path / "my agent.env"
    lines = COMPLETE | {"SLURM_TRES_CONFIG_PATH": f"{PROJECT}/config-components.yaml"}
    file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    done = typed("--env-file", file, "plan", environ={})

    assert f"`waldur-slurm-agent --env-file '{file}' check` shows whether Waldur" in done.stderr


@pytest.mark.parametrize(
    ("direction", "arguments"),
    [
        ("push", ["once", "--allow-removals"]),
        ("push", ["once", "--repair", "parents"]),
        ("push", ["plan", "--remove-empty-now"]),
        ("push", ["adopt", "0" * 32, "hpc_x"]),
        ("pull", ["once", "--allow-decrease"]),
        ("pull", ["once", "--repair", "erred"]),
        ("pull", ["backfill", "--from", "2026-01", "--to", "2026-02"]),
    ],
)
def test_what_only_the_other_direction_does_is_refused_before_anything_is_asked(
    direction: str, arguments: list[str]
) -> None:
    done = typed(*arguments, environ=COMPLETE | {"WALDUR_SYNC_DIRECTION": direction})

    assert (done.returncode, done.stdout) == (78, "")
    other = {"pull": "push", "push": "pull"}[direction]
    assert done.stderr.startswith(
        f"waldur-slurm-agent: WALDUR_SYNC_DIRECTION: found '{direction}', expected {other}: "
    )
    assert f"{other}.env" in done.stderr


def test_settings_show_what_is_in_force_without_the_token() -> None:
    done = typed("settings", environ=COMPLETE | {"SLURM_DEFAULT_ACOUNT": "x"})

    assert done.returncode == 0
    assert "SLURM_DEFAULT_ACCOUNT" in done.stdout
    assert "warning: SLURM_DEFAULT_ACOUNT has no effect" in done.stdout
    assert TOKEN not in done.stdout


def test_settings_as_json_are_for_programs() -> None:
    shown = json.loads(typed("settings", "--json").stdout)

    assert shown["settings"]["WALDUR_SYNC_DIRECTION"] == "pull"
    assert shown["settings"]["WALDUR_API_TOKEN"] == "<secret>"
    assert shown["settings"]["SENTRY_ENVIRONMENT"] == "production"
    assert shown["warnings"] == []


def test_an_env_file_is_read_as_systemd_reads_it_and_wins(tmp_path: Path) -> None:
    file = tmp_path / "push.env"
    file.write_text(
        "# a comment\n\nWALDUR_SYNC_DIRECTION=push # The setup for service-push\n"
        " SLURM_CONTAINER_NAME = 'head' # quoted\n"
    )

    shown = json.loads(typed("--env-file", file, "settings", "--json").stdout)["settings"]

    assert shown["WALDUR_SYNC_DIRECTION"] == "push"
    assert shown["SLURM_CONTAINER_NAME"] == "head"


def test_an_env_file_that_is_missing_is_a_wrong_setting(tmp_path: Path) -> None:
    done = typed("--env-file", tmp_path / "none.env", "settings")

    assert done.returncode == 78
    assert done.stderr.endswith("none.env: No such file or directory\n")


def test_a_token_in_the_wrong_place_is_not_repeated() -> None:
    environ = COMPLETE | {"WALDUR_OFFERING_UUID": TOKEN, "SLURM_DEPLOYMENT_TYPE": TOKEN}

    done = typed("check", environ=environ)

    assert done.returncode == 78
    assert TOKEN not in done.stderr
    assert "<secret>" in done.stderr


def test_a_side_that_does_not_answer_is_named_with_what_to_do() -> None:
    done = typed("plan", environ=COMPLETE | {"SLURM_TRES_CONFIG_PATH": "config-components.yaml"})

    assert done.returncode == 75
    assert "Connection refused" in done.stderr
    assert "`waldur-slurm-agent check` shows whether Waldur answers" in done.stderr


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        (">&-", 0, ""),
        (">/dev/full", 1, "waldur-slurm-agent: the output cannot be written: No space left"),
        ("2>&- >&-", 0, ""),
    ],
)
def test_output_that_leads_nowhere_is_no_defect(where: str, code: int, said: str) -> None:
    done = subprocess.run(
        ("/bin/sh", "-c", f'exec "$@" {where}', "sh", sys.executable, "-m", MODULE, "settings"),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, **COMPLETE},
    )

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_a_second_agent_is_told_to_try_again_later(tmp_path: Path) -> None:
    with only_agent(tmp_path):
        done = typed(environ=COMPLETE | {"AGENT_STATE_DIR": str(tmp_path)})

    assert done.returncode == 75
    assert f"process {os.getpid()} already serves this offering" in done.stderr


def test_a_state_directory_that_cannot_be_used_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = typed(environ=COMPLETE | {"AGENT_STATE_DIR": str(tmp_path / "file")})

    assert done.returncode == 1
    assert "cannot use the state directory" in done.stderr


def test_the_daemon_does_not_start_without_a_tres_file(tmp_path: Path) -> None:
    done = typed(
        environ=COMPLETE
        | {"AGENT_STATE_DIR": str(tmp_path), "SLURM_TRES_CONFIG_PATH": str(tmp_path / "tres.yaml")}
    )

    assert done.returncode == 78
    assert "tres.yaml" in done.stderr


def test_a_crash_of_the_agent_itself_shows_no_secret() -> None:
    code = (
        "import os, waldur_slurm.agent.main as program\n"
        "try:\n    program.main(['--version'])\n"
        "except SystemExit:\n    pass\n"
        "raise ValueError('token ' + os.environ['WALDUR_API_TOKEN'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, **COMPLETE},
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: token <secret>"


def test_whoever_stops_reading_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "waldur_slurm.main", "settings", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, **COMPLETE},
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        code = process.wait(timeout=60)

    assert (code, said) in {(1, ""), (-signal.SIGPIPE, "")}
