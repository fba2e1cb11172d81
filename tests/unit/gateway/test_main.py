"""The command line, typed as a person would: what is said, where, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from waldur_slurm import __version__
from waldur_slurm.gateway.arguments import build


def typed(*arguments: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "waldur_slurm.gateway.main", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, **environ},
    )


def test_version_and_help_need_no_settings() -> None:
    version, usage = typed("--version"), typed("--help")

    assert (version.returncode, version.stdout) == (0, f"slurm-gateway {__version__}\n")
    assert usage.returncode == 0
    assert max(map(len, usage.stdout.splitlines())) <= 80
    for word in ("settings", "token make", "examples:", "GATEWAY_LISTEN", "78"):
        assert word in usage.stdout


def test_every_example_of_the_help_is_accepted() -> None:
    lines = [line.split()[1:] for line in build().epilog.splitlines() if "  slurm-gateway" in line]  # type: ignore[union-attr]  # there is one

    parsed = [build().parse_args(line) for line in lines]

    assert [each.command for each in parsed] == [
        "check", "settings", "token", None, "token", "token", "letter", None,
        "submit",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [["dance"], ["token"], ["settings", "--loud"], ["token", "make"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    done = typed(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: slurm-gateway" in done.stderr


@pytest.mark.parametrize(
    ("scopes", "actors", "expected"),
    [("", "ann", "at least one of cluster:read"), ("jobs:read", "ann,root", "other than root")],
)
def test_a_token_that_could_do_nothing_or_would_never_act_is_not_made(
    tmp_path: Path, scopes: str, actors: str, expected: str
) -> None:
    words = ("token", "make", "--name", "x", "--scopes", scopes, "--run-as", actors)

    done = typed(*words, GATEWAY_STATE_DIR=str(tmp_path / "state"))

    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("name", "value", "mistake"),
    [
        ("GATEWAY_CLUSTERS", "alpha,beta,alpha", "alpha is there twice"),
        ("GATEWAY_LISTEN", "127.0.0.1:80,127.0.0.1:80", "127.0.0.1:80 is there twice"),
        ("GATEWAY_LISTEN", "127.0.0.1:80,[::1]:80=watch", "have one port"),
    ],
)
def test_what_is_named_twice_is_a_wrong_setting(name: str, value: str, mistake: str) -> None:
    done = typed("settings", **{name: value})

    assert (done.returncode, done.stdout) == (78, "")
    assert f"{name}: " in done.stderr
    assert mistake in done.stderr


def test_one_port_of_two_addresses_that_serve_the_same_is_right() -> None:
    assert typed("settings", GATEWAY_LISTEN="127.0.0.1:80,[::1]:80").returncode == 0


def test_wrong_settings_exit_with_78_and_every_mistake_on_a_line_of_its_own() -> None:
    wrong = {"GATEWAY_LISTEN": "8040", "GATEWAY_MIN_UID": "none", "GATEWAY_LOG_LEVEL": "loud"}

    for arguments in ([], ["settings"], ["token", "list"]):
        done = typed(*arguments, **wrong)

        assert (done.returncode, done.stdout) == (78, "")
        told = {line.split()[1].rstrip(":") for line in done.stderr.splitlines()}
        assert told == wrong.keys()


def test_settings_show_what_is_in_force_and_which_names_have_no_effect() -> None:
    dsn = "https://0123456789abcdef@sentry.example.org/1"
    done = typed("settings", SENTRY_DSN=dsn, GATEWAY_LISTN="127.0.0.1:9000")

    rows = dict(
        line.split(maxsplit=1) for line in done.stdout.splitlines() if len(line.split()) > 1
    )
    assert done.returncode == 0
    assert rows["GATEWAY_LISTEN"].strip() == "127.0.0.1:8040"
    assert "0123456789abcdef" not in done.stdout
    assert "warning: GATEWAY_LISTN has no effect; is GATEWAY_LISTEN meant?" in done.stdout


def test_settings_as_json_are_for_programs() -> None:
    shown = json.loads(typed("settings", "--json", GATEWAY_JOBS_AGE="90").stdout)

    assert shown["settings"]["GATEWAY_JOBS_AGE"] == "90s"
    assert shown["warnings"] == []


def test_an_env_file_is_read_as_systemd_reads_it_before_or_after_the_command(
    tmp_path: Path,
) -> None:
    file = tmp_path / "slurm-gateway.env"
    file.write_text("# a comment\n\nGATEWAY_LISTEN=127.0.0.1:9000 # a remark\n")

    lines: list[list[str | Path]]
    lines = [["--env-file", file, "settings"], ["settings", "--env-file", file]]
    for line in lines:
        done = typed(*line, "--json", GATEWAY_LISTEN="127.0.0.1:1")
        assert json.loads(done.stdout)["settings"]["GATEWAY_LISTEN"] == "127.0.0.1:9000"


def test_an_env_file_that_is_missing_or_none_is_a_wrong_setting(tmp_path: Path) -> None:
    file = tmp_path / "odd.env"
    file.write_text("GATEWAY_LISTEN 127.0.0.1\n")

    for path, words in ((tmp_path / "no.env", "No such file"), (file, ":1: expected NAME=value")):
        done = typed("--env-file", path, "settings")
        assert done.returncode == 78
        assert words in done.stderr


def test_tokens_are_listed_as_a_table_for_people_and_as_json_for_programs(tmp_path: Path) -> None:
    state = {"GATEWAY_STATE_DIR": str(tmp_path / "state")}
    made = typed("token", "make", "--name", "portal", "--scopes", "jobs:read", **state)
    assert made.returncode == 0, made.stderr

    head, row = typed("token", "list", **state).stdout.splitlines()
    (data,) = json.loads(typed("token", "list", "--json", **state).stdout)

    assert head.split()[:2] == ["id", "name"]
    assert row.split()[:2] == [data["id"], "portal"]
    assert made.stdout.strip() not in head + row


def test_what_slurm_says_on_several_lines_is_told_on_one(tmp_path: Path) -> None:
    tool = tmp_path / "scontrol"
    tool.write_text(
        "#!/bin/sh\nprintf 'scontrol: error: one\\nscontrol: error: two\\n' >&2\nexit 1\n"
    )
    tool.chmod(0o755)
    away = {"SLURM_CONF": str(tmp_path / "slurm.conf"), "SLURM_BIN_PATH": str(tmp_path)}

    done = typed(**away, GATEWAY_STATE_DIR=str(tmp_path / "state"))

    first, advice = done.stderr.splitlines()
    assert done.returncode in (1, 75)
    assert "error: one; scontrol: error: two" in first
    assert "scontrol ping" in advice
