"""`slurm-gateway import`: takes over what an original has kept."""

import argparse
import sys
from pathlib import Path

import msgspec

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.configs.tinydb import read_archive

_A_WRITE = 1000


def run(parts: Parts, arguments: argparse.Namespace) -> int:
    """Take over Slurm RestAPI's archive of the load; again, nothing comes twice."""
    path: Path = arguments.file
    samples, unreadable = read_archive(_load(path))
    if not samples:
        raise SettingsError(
            [f"{path}: no sample of the load in it; expected Slurm RestAPI's db.json"]
        )
    cluster = arguments.cluster or parts.site.default_cluster
    if cluster not in parts.site.clusters:
        known = ", ".join(sorted(parts.site.clusters))
        raise SettingsError([f"--cluster: there is no cluster {cluster}; there is {known}"])
    added = sum(
        parts.samples.add_all(cluster, samples[begin : begin + _A_WRITE])
        for begin in range(0, len(samples), _A_WRITE)
    )
    there = len(samples) - added
    sys.stdout.write(
        f"{cluster}: {added} samples taken over, {there} were there already,"
        f" {unreadable} not understood\n"
    )
    return 0


def _load(path: Path) -> object:
    try:
        return msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise SettingsError([f"cannot read {path}: {error.strerror}"]) from error
    except msgspec.DecodeError as error:
        raise SettingsError([f"{path}: not JSON: {error}"]) from None
