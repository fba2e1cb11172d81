"""`slurm-gateway import`: takes over what an original has kept."""

import argparse
import sys
from pathlib import Path

import msgspec

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.configs.tinydb import read_archive
from waldur_slurm.gateway.managing import take_over_apps, take_over_jobs
from waldur_slurm.gateway.store.slurmer import read_slurmer_jobs

_A_WRITE = 1000


def run(parts: Parts, arguments: argparse.Namespace) -> int:
    """Take it over; again, nothing comes twice."""
    files: list[Path] = arguments.files
    if arguments.what == "slurmer":
        if len(files) != 2:
            raise SettingsError(
                ["import slurmer: expected config.yml and slurmer.db, in that order"]
            )
        return _take_jobs(parts, files[1])
    if len(files) != 1:
        raise SettingsError(["import restapi: expected one file, such as db.json"])
    return _take_load(parts, arguments, files[0])


def _take_jobs(parts: Parts, path: Path) -> int:
    """Take over Slurmer's jobs; its apps are those of its configuration."""
    managed = parts.managed
    if managed is None:
        raise SettingsError(["import slurmer: the file is no configuration of Slurmer's"])
    take_over_apps(managed, parts.settings.slurmer, lambda: parts.token_secret, parts.tell)
    taken = take_over_jobs(managed, read_slurmer_jobs(path))
    sys.stdout.write(
        f"{taken.added} jobs taken over, {taken.there} were there already,"
        f" {taken.skipped} not understood\n"
    )
    return 0


def _take_load(parts: Parts, arguments: argparse.Namespace, path: Path) -> int:
    """Take over Slurm RestAPI's archive of the load."""
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
