"""Ask systemd about the service's unit; a host without systemd, or without the unit, has none."""

from collections.abc import Iterable
from pathlib import Path

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Transport
from waldur_slurm.service.check.unit import PROPERTIES, Unit, parse_unit


def read_unit(host: Transport, names: Iterable[str], env_file: Path) -> Unit | None:
    """Return the first unit of these names that reads this env file."""
    path = env_file.absolute()
    shown = (_show(host, each) for each in names)
    units = (parse_unit(each, text, path) for each, text in shown)
    return next(filter(None, units), None)


def _show(host: Transport, name: str) -> tuple[str, str]:
    asked = ("systemctl", "show", f"--property={','.join(PROPERTIES)}", f"{name}.service")
    try:
        answer = host.run(asked)
    except TransportError:
        return name, ""
    return name, "" if answer.code else answer.out
