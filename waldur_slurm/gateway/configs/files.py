"""Reads what the originals were told, files and an environment, into variables of the gateway.

A file is known by its top-level keys. A variable of the environment has precedence over a file, and
of two files the later one.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.configs.proxy import UNWANTED, is_of_proxy, read_proxy
from waldur_slurm.gateway.configs.restapi import is_of_restapi, read_restapi
from waldur_slurm.gateway.configs.slurmer import is_of_slurmer, read_slurmer
from waldur_slurm.gateway.configs.told import NotHonoured, Told
from waldur_slurm.variables.env_file import read_env_file
from waldur_slurm.variables.variable import plain

_LISTEN = "GATEWAY_LISTEN"
_OWN_ADDRESS = "127.0.0.1:8040"


def take_files(paths: Sequence[Path], environ: MutableMapping[str, str]) -> tuple[NotHonoured, ...]:
    """Put what the files say where the environment says nothing; return what has no effect."""
    told = [(f"{path}: ", _read(path, environ)) for path in paths]
    if is_of_proxy(environ):
        told.append(("", read_proxy(environ)))
    mistakes = [f"{where}{mistake}" for where, each in told for mistake in each.mistakes]
    if mistakes:
        raise SettingsError(mistakes)
    variables: dict[str, str] = {}
    for _, each in told:
        variables |= each.variables
    listens = [address for _, each in told for address in each.listens]
    if listens:
        variables[_LISTEN] = ",".join([_OWN_ADDRESS, *dict.fromkeys(listens)])
    for name, value in variables.items():
        if not plain(environ.get(name, "")):
            environ[name] = value
    for name in UNWANTED:
        environ.pop(name, None)
    return tuple(each for _, some in told for each in some.not_honoured)


def take_dotenv(environ: MutableMapping[str, str]) -> None:
    """Put what slurm-proxy's `.env` says, where `DOTENV_FILE` names it and nothing else does."""
    path = plain(environ.get("DOTENV_FILE", ""))
    found = read_env_file(Path(path), "DOTENV_FILE", is_a_shells=True) if path else {}
    for name, value in found.items():
        if not plain(environ.get(name, "")):
            environ[name] = value


def _read(path: Path, environ: Mapping[str, str]) -> Told:
    document = _load(path)
    if is_of_restapi(document):
        return read_restapi(document)
    if is_of_slurmer(document):
        return read_slurmer(document, environ)
    known = (
        "slurmer, slurmrest and oidc, as Slurmer has them, or system, database and filter, as"
        " Slurm RestAPI does"
    )
    raise SettingsError([f"{path}: not a configuration that is known here; expected {known}"])


def _load(path: Path) -> Mapping[str, Any]:
    """Load it safely: a file makes values, never objects. A mistake shows no line of it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"cannot read {path}: {error.strerror}"]) from error
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: not text in UTF-8"]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SettingsError([f"{where}: not YAML"]) from None
    if not isinstance(document, dict):
        raise SettingsError([f"{path}: expected sections with keys below them"])
    return {str(key): value for key, value in document.items()}
