"""Serves as a controller until somebody asks it to stop; or makes a token for one."""

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import timedelta

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.cli.variables import VARIABLES
from waldur_slurm.gateway.commands import serve, token
from waldur_slurm.gateway.controller import place
from waldur_slurm.gateway.controller.account import find_slurm_user, refuse_slurm_user
from waldur_slurm.gateway.controller.arguments import Asked
from waldur_slurm.gateway.controller.parts import PASSED_ON, ControllerParts, settings_of
from waldur_slurm.gateway.doors.companions import ALLOWED
from waldur_slurm.gateway.doors.principals import RunAs
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.live.client import ClusterClient

LASTS = timedelta(days=90)


def run(asked: Asked, environ: Mapping[str, str], account: UserName) -> int:
    refuse_others_settings(environ)
    parts = _parts(asked, environ, account)
    try:
        _refuse_slurm_user(parts, account)
        if asked.token:
            return token.run(parts, _one_for(account, asked.token))
        return serve.run(parts, argparse.Namespace())
    finally:
        parts.close()


def _parts(asked: Asked, environ: Mapping[str, str], account: UserName) -> ControllerParts:
    folder, bin_path = place.find_folder(), place.find_slurm(environ)
    state, uid = place.find_state(asked.state, environ, asked.port), os.geteuid()
    slurm_conf = environ.get("SLURM_CONF", "")
    conf = place.hand_conf(account, uid, (folder, *asked.roots), bin_path, slurm_conf)
    own = place.prepare(state, conf)
    settings = settings_of(asked, environ, own, str(state), bin_path, uid)
    return ControllerParts(settings, environ, sys.stderr, account, folder)


def refuse_others_settings(environ: Mapping[str, str]) -> None:
    """What opens another gateway must not seem to open this one."""
    known = {*PASSED_ON, *VARIABLES}
    others = sorted(name for name in environ if name.startswith("GATEWAY_") and name not in known)
    if others:
        raise SettingsError([f"{name} is nothing that it takes; unset it" for name in others])


def _refuse_slurm_user(parts: ControllerParts, account: UserName) -> None:
    settings, readers = parts.settings, parts.readers
    client = ClusterClient(
        readers.transport(),
        bin_path=str(settings.bin_path or ""),
        timeout=settings.command_timeout,
    )
    slurm_user = find_slurm_user(client.read_configuration, readers.told_slurm_user)
    refuse_slurm_user(account, slurm_user)


def _one_for(account: UserName, name: str) -> argparse.Namespace:
    return argparse.Namespace(
        verb="make",
        app="",
        name=name,
        scopes=ALLOWED,
        run_as=RunAs(frozenset({account})),
        expires=LASTS,
    )
