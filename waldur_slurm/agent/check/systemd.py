"""Ask systemd about the service's unit; a host without systemd, or without the unit, has none."""

from pathlib import Path

from waldur_slurm.agent.check.unit import PROPERTIES, Unit, parse_unit
from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Transport


def read_unit(host: Transport, direction: str, env_file: Path) -> Unit | None:
    """Return the unit that reads this env file, as far as it is one that the project ships.

    Of several offerings each has a unit by the name of its env files' directory.
    """
    path = env_file.absolute()
    name = f"waldur-slurm-service-{direction}"
    shown = (_show(host, each) for each in (name, f"{name}@{path.parent.name}"))
    units = (parse_unit(each, text, path) for each, text in shown)
    return next(filter(None, units), None)


def _show(host: Transport, name: str) -> tuple[str, str]:
    asked = ("systemctl", "show", f"--property={','.join(PROPERTIES)}", f"{name}.service")
    try:
        answer = host.run(asked)
    except TransportError:
        return name, ""
    return name, "" if answer.code else answer.out
