"""`slurm-gateway import`: takes over what an original has kept."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.configs.mongodump import read_monitors
from waldur_slurm.gateway.configs.tinydb import read_archive
from waldur_slurm.gateway.managing import take_over_apps, take_over_jobs
from waldur_slurm.gateway.monitored import Believed, take_over_monitors
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
        example = {"restapi": "db.json", "proxy": "mongodump.json"}[arguments.what]
        raise SettingsError([f"import {arguments.what}: expected one file, such as {example}"])
    take = _take_monitors if arguments.what == "proxy" else _take_load
    return take(parts, files[0], _cluster(parts, arguments))


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


def _take_monitors(parts: Parts, path: Path, cluster: str) -> int:
    """Take over slurm-proxy's monitors."""
    records, unreadable = read_monitors(_read(path).decode("utf-8-sig", "replace"))
    if not records:
        raise SettingsError(
            [f"{path}: no monitor in it; expected what mongoexport writes of slurm-proxy's jobs"]
        )
    now, age = datetime.now(UTC), parts.settings.monitors.max_age
    believed = Believed(cluster, parts.tasking.desk.names, now, age)
    taken = take_over_monitors(parts.watching.monitors, records, believed)
    sys.stdout.write(
        f"{cluster}: {taken.added} monitors taken over, of which {taken.watched} are watched on;"
        f" {taken.there} were there already, {taken.skipped + unreadable} not understood\n"
    )
    return 0


def _take_load(parts: Parts, path: Path, cluster: str) -> int:
    """Take over Slurm RestAPI's archive of the load."""
    samples, unreadable = read_archive(_load(path))
    if not samples:
        raise SettingsError(
            [f"{path}: no sample of the load in it; expected Slurm RestAPI's db.json"]
        )
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


def _cluster(parts: Parts, arguments: argparse.Namespace) -> str:
    cluster: str = arguments.cluster or parts.site.default_cluster
    if cluster not in parts.site.clusters:
        known = ", ".join(sorted(parts.site.clusters))
        raise SettingsError([f"--cluster: there is no cluster {cluster}; there is {known}"])
    return cluster


def _load(path: Path) -> object:
    try:
        return msgspec.json.decode(_read(path))
    except msgspec.DecodeError as error:
        raise SettingsError([f"{path}: not JSON: {error}"]) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError([f"cannot read {path}: {error.strerror}"]) from error
