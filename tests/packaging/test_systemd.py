"""The agent's units are what systemd takes, and what the documentation says of them holds."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.places import PROJECT
from waldur_slurm.agent.settings import LOGS, STATE, Deployment, Settings
from waldur_slurm.agent.settings.reference import unknown_variables

ROOT = PROJECT / "systemd-conf"
UNITS = sorted(ROOT.glob("service-*/*.service"))
MODERN = [unit for unit in UNITS if "legacy" not in unit.name]
NEWER_THAN_219 = re.compile(
    r"^(StateDirectory|LogsDirectory|ProtectSystem=strict|RestrictNamespaces|LockPersonality"
    r"|StartLimitIntervalSec|MemoryDenyWriteExecute|StandardOutput=append)",
    re.MULTILINE,
)


def service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    parser.read(unit, encoding="utf-8")
    return parser["Service"]


def variables(env_file: Path) -> dict[str, str]:
    return told_in(env_file.read_text(encoding="utf-8"))


def told_in(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_there_is_a_unit_a_legacy_unit_and_an_env_file_for_each_direction() -> None:
    assert sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("service-*/*")) == [
        "service-pull/waldur-slurm-service-pull-legacy.service",
        "service-pull/waldur-slurm-service-pull.env",
        "service-pull/waldur-slurm-service-pull.service",
        "service-pull/waldur-slurm-service-pull@.env",
        "service-pull/waldur-slurm-service-pull@.service",
        "service-push/waldur-slurm-service-push-legacy.service",
        "service-push/waldur-slurm-service-push.env",
        "service-push/waldur-slurm-service-push.service",
        "service-push/waldur-slurm-service-push@.env",
        "service-push/waldur-slurm-service-push@.service",
    ]


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_a_template_is_the_unit_with_its_instance_in_names_and_places(direction: str) -> None:
    name = ROOT / f"service-{direction}" / f"waldur-slurm-service-{direction}"
    unit, template = (Path(f"{name}{end}").read_text("utf-8") for end in (".service", "@.service"))

    told = template.replace(", %i)", ")").replace("%i/", "").replace("@%i", "")

    assert template.count("%i") == 4, "description, identifier, TRES file and env file"
    assert told.partition("[Unit]")[2] == unit.partition("[Unit]")[2]


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_the_env_file_of_an_instance_shares_no_place_with_that_of_another(direction: str) -> None:
    name = ROOT / f"service-{direction}" / f"waldur-slurm-service-{direction}@.env"
    text = name.read_text(encoding="utf-8")
    found = []
    for instance in ("gpu", "cpu"):
        environ = told_in(re.sub("^(.*?)INSTANCE", rf"\g<1>{instance}", text, flags=re.MULTILINE))
        settings = Settings.from_environ(environ)
        assert settings.direction == direction
        assert settings.deployment is Deployment.NATIVE
        assert list(unknown_variables(environ)) == []
        found.append({settings.tres_path, settings.audit_log, settings.http_listen} - {None})

    assert "INSTANCE" not in "".join(map(str, found))
    assert found[0].isdisjoint(found[1])
    assert found[0] >= {Path("/etc/waldur-slurm-service/gpu/tres.yaml")}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    # Under the name it is installed by, and by which an instance is started.
    installed = tmp_path / unit.name.replace("-legacy", "").replace("@.", "@gpu.")
    shutil.copy(unit, installed)

    verified = subprocess.run(
        ["/usr/bin/systemd-analyze", "verify", str(installed)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (verified.returncode, verified.stderr) == (0, "")


def test_systemd_would_find_a_mistake_in_a_unit(tmp_path: Path) -> None:
    broken = tmp_path / "broken.service"
    broken.write_text(UNITS[0].read_text(encoding="utf-8").replace("KillMode", "KilMode"))

    verified = subprocess.run(
        ["/usr/bin/systemd-analyze", "verify", str(broken)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "KilMode" in verified.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_service_is_found_wherever_pip_put_it(unit: Path) -> None:
    told = service(unit)

    assert told["ExecStart"] == "/usr/bin/env waldur-slurm-agent"
    text = unit.read_text(encoding="utf-8")
    assert "Environment=PATH=/opt/waldur-slurm-agent/bin:/usr/local/sbin:/usr/local/bin:" in text


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_wrong_settings_stop_the_service_and_everything_else_starts_it_again(unit: Path) -> None:
    told = service(unit)

    assert told["Restart"] == "always"
    assert told["RestartPreventExitStatus"] == "78"
    assert told["Type"] == "notify"
    assert told["KillMode"] == "mixed"


@pytest.mark.parametrize("unit", MODERN, ids=lambda unit: unit.name)
def test_the_service_may_do_little_beside_its_work(unit: Path) -> None:
    judged = subprocess.run(
        ["/usr/bin/systemd-analyze", "security", "--offline=true", "--threshold=30", str(unit)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert judged.returncode == 0, judged.stdout[-300:]


@pytest.mark.parametrize("unit", sorted(set(UNITS) - set(MODERN)), ids=lambda unit: unit.name)
def test_a_legacy_unit_says_nothing_that_old_systemd_does_not_know(unit: Path) -> None:
    assert NEWER_THAN_219.search(unit.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_unit_makes_the_directories_that_check_takes_it_to_make(unit: Path) -> None:
    told = service(unit)
    made = {
        *(f"/var/lib/{name}" for name in told.get("StateDirectory", "").split()),
        *(f"/var/log/{name}" for name in told.get("LogsDirectory", "").split()),
        *told.get("ExecStartPre", "").removeprefix("/bin/mkdir -p -m 0700").split(),
    }

    assert made == {str(STATE), str(LOGS)}


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_an_env_file_needs_only_the_sites_own_values(direction: str) -> None:
    environ = variables(ROOT / f"service-{direction}" / f"waldur-slurm-service-{direction}.env")

    settings = Settings.from_environ(environ)

    assert settings.direction == direction
    assert settings.deployment is Deployment.NATIVE
    assert settings.tres_path == Path("/etc/waldur-slurm-service/tres.yaml")
    assert settings.audit_log is not None
    assert settings.audit_log.parent == Path("/var/log/waldur-slurm-agent")
    assert list(unknown_variables(environ)) == []


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_an_env_file_has_no_quote_that_systemd_would_take_for_the_start_of_a_text(
    direction: str,
) -> None:
    file = ROOT / f"service-{direction}" / f"waldur-slurm-service-{direction}.env"

    assert not set("'\"\\") & set(file.read_text(encoding="utf-8"))
