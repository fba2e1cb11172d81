"""What systemd says of a unit is read as what its service may write."""

from pathlib import Path

import pytest

from tests.fakes.transport import ScriptedTransport
from waldur_slurm.agent.commands.check import units_of
from waldur_slurm.errors import CannotStart
from waldur_slurm.processes.port import Completed
from waldur_slurm.service.check.systemd import read_unit
from waldur_slurm.service.check.unit import Unit, parse_unit

ENV_FILE = Path("/etc/waldur-slurm-service/pull.env")
SHIPPED = """\
User=
EnvironmentFiles=/etc/waldur-slurm-service/pull.env (ignore_errors=no)
CapabilityBoundingSet=cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid
ReadWritePaths=-/home
ProtectHome=no
ProtectSystem=strict
StateDirectory=waldur-slurm-agent
LogsDirectory=waldur-slurm-agent
LoadState=loaded
"""


def parsed(**changes: str) -> Unit | None:
    lines = dict(line.split("=", 1) for line in SHIPPED.splitlines()) | changes
    text = "".join(f"{name}={value}\n" for name, value in lines.items())
    return parse_unit("the-unit", text, ENV_FILE)


def unit(**changes: str) -> Unit:
    found = parsed(**changes)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("place", "may"),
    [
        ("/var/lib/waldur-slurm-agent/x/pull", True),
        ("/var/log/waldur-slurm-agent/pull-audit.jsonl", True),
        ("/home/waldur", True),
        ("/var/lib/waldur", False),
        ("/srv/agent", False),
    ],
)
def test_the_shipped_unit_may_write_where_it_says(place: str, may: bool) -> None:
    assert unit().may_write_below(Path(place)) is may


def test_the_legacy_unit_may_write_all_but_the_system() -> None:
    legacy = unit(ProtectSystem="full", StateDirectory="", LogsDirectory="", ReadWritePaths="")

    assert legacy.may_write_below(Path("/var/lib/waldur-slurm-agent"))
    assert not legacy.may_write_below(Path("/etc/agent"))


@pytest.mark.parametrize(("homes", "may"), [("yes", False), ("read-only", True), ("tmpfs", False)])
def test_homes_that_are_hidden_cannot_be_opened_again(homes: str, may: bool) -> None:
    assert unit(ProtectHome=homes).may_write_below(Path("/home/agent")) is may


@pytest.mark.parametrize(
    ("capabilities", "ignores"),
    [
        ("cap_chown cap_dac_override", True),
        ("cap_dac_read_search", False),
        ("18446744073709551615", True),
        ("4", False),
    ],
)
def test_root_ignores_modes_with_the_right_to_it_only(capabilities: str, ignores: bool) -> None:
    assert unit(CapabilityBoundingSet=capabilities).ignores_modes is ignores
    assert not unit(CapabilityBoundingSet=capabilities, User="waldur-slurm").ignores_modes


def test_a_unit_that_is_not_there_or_reads_another_file_is_not_the_settings_own() -> None:
    assert parsed(LoadState="not-found") is None
    assert parsed(EnvironmentFiles="/etc/other.env (ignore_errors=no)") is None
    assert parse_unit("the-unit", SHIPPED, Path("/etc/waldur-slurm-service")) is None
    assert parsed(EnvironmentFiles="", EnvironmentFile=f"{ENV_FILE} (ignore_errors=no)") is not None


@pytest.mark.parametrize(
    "answer", [CannotStart("no systemctl"), Completed(1, "", "not booted with systemd")]
)
def test_a_host_without_systemd_has_no_unit(answer: Completed | CannotStart) -> None:
    host = ScriptedTransport([answer, answer])

    assert read_unit(host, units_of("pull", ENV_FILE), ENV_FILE) is None


def test_of_several_offerings_the_unit_is_called_after_the_directory_of_its_env_file() -> None:
    mine = SHIPPED.replace("service/pull.env", "service/gpu/pull.env")
    host = ScriptedTransport([Completed(0, SHIPPED, ""), Completed(0, mine, "")])

    gpu = ENV_FILE.parent / "gpu" / ENV_FILE.name
    found = read_unit(host, units_of("pull", gpu), gpu)

    assert found is not None
    assert found.name == "waldur-slurm-service-pull@gpu"
    assert host.asked[1][-1] == "waldur-slurm-service-pull@gpu.service"


def test_the_unit_of_the_direction_is_asked_about() -> None:
    host = ScriptedTransport([Completed(0, SHIPPED, "")])

    found = read_unit(host, units_of("pull", ENV_FILE), ENV_FILE)

    assert found is not None
    assert found.name == "waldur-slurm-service-pull"
    assert host.asked[0][-1] == "waldur-slurm-service-pull.service"
