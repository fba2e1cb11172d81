"""Ask systemd about the service's unit; a host without systemd, or without the unit, has none."""

from pathlib import Path

from waldur_slurm.agent.check.unit import PROPERTIES, Unit, parse_unit
from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Transport


def read_unit(host: Transport, direction: str, env_file: Path) -> Unit | None:
    """Return the unit that reads this env file, as far as it is the one that the project ships."""
    name = f"waldur-slurm-service-{direction}"
    asked = ("systemctl", "show", f"--property={','.join(PROPERTIES)}", f"{name}.service")
    try:
        answer = host.run(asked)
    except TransportError:
        return None
    return None if answer.code else parse_unit(name, answer.out, env_file.absolute())
