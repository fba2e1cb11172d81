"""What is shipped to run the gateway is what systemd takes, and gives it no more than it needs."""

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.places import PROJECT
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.reference import unknown_variables
from waldur_slurm.variables.env_file import read_env_file

SHIPPED = PROJECT / "systemd-conf" / "gateway"
UNITS = [SHIPPED / "slurm-gateway.service", SHIPPED / "slurm-rest-api.service"]
ENV_FILES = [SHIPPED / "slurm-gateway.env", SHIPPED / "slurm-rest-api.env"]
ACTING = SHIPPED / "slurm-gateway-acting.conf"
HAND_PAGE = (PROJECT / "docs" / "hand.md").read_text(encoding="utf-8")
UNRELATED = {
    "UserOrDynamicUser", "AmbientCapabilities", "SupplementaryGroups", "KeyringMode", "Delegate",
    "NotifyAccess", "UMask",
}  # fmt: skip
"""What systemd judges, and nobody who becomes a user is bound by."""

COMMENTED = re.compile(r"^#(?=[A-Z_]+=)", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.name


def service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    parser.read(unit, encoding="utf-8")
    return parser["Service"]


def analyze(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/usr/bin/systemd-analyze", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("unit", UNITS, ids=name_of)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    installed = tmp_path / unit.name
    shutil.copy(unit, installed)

    verified = analyze("verify", installed)

    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=name_of)
def test_the_service_may_do_little_beside_its_work(unit: Path) -> None:
    judged = analyze("security", "--offline=true", "--threshold=20", unit)
    told = service(unit)

    assert judged.returncode == 0, judged.stdout[-300:]
    assert (told["User"], told["CapabilityBoundingSet"]) == ("slurm-gateway", "")
    assert "PrivateUsers" not in told


def test_what_lets_it_act_by_sudo_takes_the_whole_sandbox_back(tmp_path: Path) -> None:
    """Much of it implies NoNewPrivileges for a user's service; what the hand needs inherits it."""
    told, taken_back = service(UNITS[0]), service(ACTING)
    names = [*told]
    sandbox = {*names[names.index("NoNewPrivileges") :]} - {"SystemCallErrorNumber"}
    unit = tmp_path / UNITS[0].name
    shutil.copy(UNITS[0], unit)
    drop_in = tmp_path / f"{unit.name}.d" / "acting.conf"
    drop_in.parent.mkdir()
    shutil.copy(ACTING, drop_in)

    verified = analyze("verify", unit)
    judged = analyze("security", "--offline=true", "--json=short", unit)

    assert {*taken_back} == sandbox
    assert (verified.returncode, verified.stderr) == (0, "")
    left = {row["json_field"] for row in json.loads(judged.stdout) if row["set"]}
    assert left == UNRELATED
    assert f"{ACTING.name} /etc/systemd/system/{unit.name}.d/{drop_in.name}" in HAND_PAGE


@pytest.mark.parametrize("unit", UNITS, ids=name_of)
def test_it_is_started_reloaded_and_started_again_as_the_agent_is(unit: Path) -> None:
    told = service(unit)

    assert told["ExecStart"] == "/usr/bin/env slurm-gateway"
    assert told["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (told["Type"], told["Restart"]) == ("notify", "always")
    assert told["RestartPreventExitStatus"] == "78"
    text = unit.read_text(encoding="utf-8")
    assert "Environment=PATH=/opt/waldur-slurm-agent/bin:/usr/local/sbin:/usr/local/bin:" in text


def test_each_service_has_a_place_of_its_own_and_it_is_the_one_that_the_gateway_uses() -> None:
    default = {declared.name: declared.default for declared in Settings.variables()}
    gateway, restapi = (f"/var/lib/{service(unit)['StateDirectory']}" for unit in UNITS)

    assert gateway == default["GATEWAY_STATE_DIR"]
    assert str(Settings.from_environ(read_env_file(ENV_FILES[1])).state_dir) == restapi
    assert gateway != restapi


@pytest.mark.parametrize("file", ENV_FILES, ids=name_of)
def test_an_env_file_gives_nothing_away_as_it_is(file: Path) -> None:
    environ = read_env_file(file)

    settings = Settings.from_environ(environ)

    assert list(unknown_variables(environ)) == []
    assert settings.anonymous_scopes == frozenset()
    assert list(settings.trusted_networks) == []
    assert all(listener.is_loopback for listener in settings.listen)


@pytest.mark.parametrize("file", ENV_FILES, ids=name_of)
def test_every_line_that_is_commented_out_is_one_that_can_be_taken_in(
    file: Path, tmp_path: Path
) -> None:
    """All at once; systemd would read them the same."""
    text = file.read_text(encoding="utf-8")
    taken = tmp_path / "taken.env"
    taken.write_text(COMMENTED.sub("", text), encoding="utf-8")
    environ = read_env_file(taken)

    settings = Settings.from_environ(environ)

    assert list(unknown_variables(environ)) == []
    assert settings.trusted_proxies
    assert settings.hosts
    assert len(COMMENTED.findall(text)) >= 4
    assert not set("'\"\\") & set(text)
