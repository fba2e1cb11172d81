"""What tasks are told."""

from dataclasses import dataclass
from pathlib import Path

from waldur_slurm.variables.places import path
from waldur_slurm.variables.variable import variable


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSettings:
    """Typed and checked."""

    names: Path | None = variable(
        "GATEWAY_TASK_NAMES",
        path,
        "a YAML file of names that tasks may have beside those of the package, `generic` and"
        " `echo_hello_world`, with the defaults of each; it is read at the start",
        unset_means="there are those two",
    )
