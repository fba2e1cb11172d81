"""What is shipped to run the operator outside of a pod is what systemd takes, and little else."""

import re
import shutil
from pathlib import Path

import pytest

from tests.packaging.test_gateway_systemd import COMMENTED, analyze, name_of, service
from tests.places import PROJECT
from waldur_slurm.operator.arguments import parse
from waldur_slurm.operator.settings import Settings
from waldur_slurm.variables.env_file import read_env_file

SHIPPED = PROJECT / "systemd-conf" / "operator"
CONTROLLER = SHIPPED / "slurm-controller.service"
UNIT, ENV_FILE = SHIPPED / "slurm-operator.service", SHIPPED / "slurm-operator.env"
PAGE = (PROJECT / "docs" / "operator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", [UNIT, CONTROLLER], ids=name_of)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    installed = tmp_path / unit.name
    shutil.copy(unit, installed)

    verified = analyze("verify", installed)

    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize(
    ("unit", "user", "most"), [(UNIT, "slurm-operator", 15), (CONTROLLER, "slurm-jobs", 30)]
)
def test_it_may_do_little_beside_its_work(unit: Path, user: str, most: int) -> None:
    judged = analyze("security", "--offline=true", f"--threshold={most}", unit)
    told = service(unit)

    assert judged.returncode == 0, judged.stdout[-300:]
    assert (told["User"], told["CapabilityBoundingSet"]) == (user, "")


def test_the_controller_is_started_as_the_document_starts_it() -> None:
    told = service(CONTROLLER)

    assert told["ExecStart"] == "/usr/bin/env slurm-controller"
    assert told["RestartPreventExitStatus"].split() == ["2", "78"]
    assert told["StateDirectory"] == "slurm-controller"


def test_it_is_started_and_started_again_as_the_others_are() -> None:
    told = service(UNIT)
    command, *words = told["ExecStart"].removeprefix("/usr/bin/env ").split()

    assert (command, parse(words).command) == ("slurm-operator", "run")
    assert (told["Type"], told["Restart"]) == ("notify", "always")
    assert told["RestartPreventExitStatus"] == "78"
    assert told["EnvironmentFile"] == f"/etc/slurm-operator/{ENV_FILE.name}"


def test_its_settings_are_whole_as_they_are_and_each_that_is_offered_is_one(tmp_path: Path) -> None:
    settings = Settings.from_environ(read_env_file(ENV_FILE))
    offered = tmp_path / "offered.env"
    offered.write_text(COMMENTED.sub("", ENV_FILE.read_text(encoding="utf-8")))
    names = {declared.name for declared in Settings.variables()}

    assert str(settings.kubeconfig) == "/etc/slurm-operator/kubeconfig"
    assert read_env_file(offered).keys() <= names
    assert Settings.from_environ(read_env_file(offered)) is not None


def test_the_page_says_where_each_goes() -> None:
    for file in (UNIT, ENV_FILE, CONTROLLER):
        assert re.search(rf"install .*{file.relative_to(PROJECT)}", PAGE)
