"""What an operator can set, typed and checked before anything else begins.

Settings stop at the composition root; everything below it takes plain arguments.
"""

from waldur_slurm.agent.settings.choices import LOGS, STATE, Deployment, Direction
from waldur_slurm.agent.settings.declaration import Settings
from waldur_slurm.variables.choices import LogFormat, LogLevel
from waldur_slurm.variables.variable import Secret

__all__ = [
    "LOGS",
    "STATE",
    "Deployment",
    "Direction",
    "LogFormat",
    "LogLevel",
    "Secret",
    "Settings",
]
