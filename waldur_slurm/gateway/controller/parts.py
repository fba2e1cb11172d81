"""A gateway's parts where it is a controller: one account, one surface, doors open on loopback."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TextIO

from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.controller.arguments import Asked
from waldur_slurm.gateway.controller.place import Own
from waldur_slurm.gateway.doors.companions import Companions
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.admitting import Doorkeeper
from waldur_slurm.gateway.web.seeds.controller_site import Controller
from waldur_slurm.model.names import UserName

PASSED_ON = (
    "GATEWAY_COMMAND_TIMEOUT",
    "GATEWAY_JOBS_AGE",
    "GATEWAY_LOG_FORMAT",
    "GATEWAY_LOG_LEVEL",
    "GATEWAY_CLUSTERS",
)
"""What of a gateway's settings a controller has too. The rest would be another gateway."""

SERVED = frozenset({Surface.CONTROLLER})


class ControllerParts(Parts):
    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        log: TextIO,
        account: UserName,
        folder: str,
    ) -> None:
        super().__init__(settings, environ, log)
        self._account = account
        self._folder = folder

    @property
    def doorkeeper(self) -> Doorkeeper:
        return Companions(self.doors, self._account)

    @property
    def controller(self) -> Controller:
        return Controller(self._folder)


def settings_of(
    asked: Asked, environ: Mapping[str, str], own: Own, state: str, bin_path: str, uid: int
) -> Settings:
    """Make a gateway's settings of what was typed."""
    at = f"[{asked.host}]" if ":" in asked.host else asked.host
    told = {name: environ[name] for name in PASSED_ON if name in environ} | {
        "GATEWAY_LISTEN": f"{at}:{asked.port}",
        "GATEWAY_STATE_DIR": state,
        "GATEWAY_EXECUTOR": "self",
        "GATEWAY_HAND": str(own.hand),
        "GATEWAY_HAND_CONF": str(own.conf),
        "GATEWAY_MIN_UID": str(uid),
        "GATEWAY_MAX_UID": str(uid),
        "GATEWAY_TLS_CERTIFICATE": str(asked.certificate or ""),
        "GATEWAY_TLS_KEY": str(asked.key or ""),
        "SLURM_BIN_PATH": bin_path,
    }
    settings = Settings.from_environ(told)
    (listener,) = settings.listen
    surfaces = SERVED | ({Surface.NATIVE} if asked.with_api else set())
    return replace(settings, listen=(replace(listener, surfaces=surfaces),))
