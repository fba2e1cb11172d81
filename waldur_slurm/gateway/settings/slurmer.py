"""What apps and their managed jobs are told, and what only Slurmer's surface is."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from waldur_slurm.gateway.apps.app import is_app_name, uuid_of
from waldur_slurm.variables.places import path
from waldur_slurm.variables.readers import flag, whole
from waldur_slurm.variables.variable import Secret, variable


class ToldApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An app as a configuration file has it; a token of its own is kept as all are, hashed."""

    name: str
    uuid: str = ""
    token: str = ""


def told_apps(text: str) -> tuple[ToldApp, ...]:
    try:
        found = msgspec.json.decode(text, type=tuple[ToldApp, ...])
    except msgspec.DecodeError:
        found = None
    if found is None or not all(map(_is_sound, found)):
        raise ValueError('a list such as [{"name": "portal", "uuid": "...", "token": "..."}]')
    return found


def secret_apps(text: str) -> Secret:
    told_apps(text)
    return Secret(text)


def _is_sound(app: ToldApp) -> bool:
    return is_app_name(app.name) and (not app.uuid or uuid_of(app.uuid) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmerSettings:
    """Typed and checked."""

    directory: Path | None = variable(
        "GATEWAY_APPS_DIR",
        path,
        "where jobs of apps lie, `applications/APP/jobs/JOB`; root's `hand.conf` has its"
        " `applications` among its roots",
        unset_means="there are no apps",
    )
    templates: Path | None = variable(
        "GATEWAY_APPS_TEMPLATES",
        path,
        "templates, `NAME.j2`, of which each app gets copies that stay as they are from then on",
        unset_means="the stock one",
    )
    apps: Secret | None = variable(
        "GATEWAY_APPS",
        secret_apps,
        'apps that are there, as JSON: `[{"name": "portal", "uuid": "...", "token": "..."}]`',
        is_secret=True,
        unset_means="those that were made",
    )
    most_mib: int = variable(
        "GATEWAY_APPS_MOST_MIB",
        whole(1, 2**20),
        "how much an archive of a job's directory may hold, in MiB, packed or unpacked",
        "16384",
    )
    needs_issuer: bool = variable(
        "GATEWAY_SLURMER_OIDC",
        flag,
        "whether Slurmer's routes want a token of the issuer with each request, beside the app's",
        "false",
    )

    @property
    def told(self) -> tuple[ToldApp, ...]:
        return told_apps(self.apps.reveal()) if self.apps else ()
