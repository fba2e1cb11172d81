"""Files of a job's folder: listed, and got, going on where an earlier attempt was cut off.

What is not whole yet is in a file of its own beside, which is named after the very version that it
is a part of: parts of two versions never meet.
"""

import argparse
import hashlib
from pathlib import Path

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.cli.exits import DONE
from waldur_slurm.gateway.cli.tables import Column
from waldur_slurm.gateway.cli.terminal import Terminal
from waldur_slurm.gateway.cli.words import moment, size
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.gateway.errors import NotThere
from waldur_slurm.gateway.taking import Begun, FileFacts, name_of

_PATTERN = frozenset("*?[")


def files_list(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    found = gateway.files(arguments.job, arguments.glob)
    if arguments.json:
        terminal.json(found)
    elif arguments.csv:
        rows = [(each.path, each.size, each.mtime.isoformat()) for each in found]
        terminal.csv(("path", "size", "mtime"), rows)
    else:
        columns = (Column("SIZE", is_right=True), Column("CHANGED"), Column("PATH"))
        shown = [(size(each.size), moment(each.mtime), each.path) for each in found]
        terminal.table(columns, shown)
    return DONE


def files_get(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    into = Path(arguments.into)
    if not into.is_dir():
        raise SettingsError([f"--into: there is no directory {into}"])
    for path in _wanted(gateway, arguments):
        _get(gateway, terminal, arguments, path, _place(into, path))
    return DONE


def _wanted(gateway: Gateway, arguments: argparse.Namespace) -> list[str]:
    """Return the paths that were typed, and those that fit what was typed."""
    paths: list[str] = []
    for typed in arguments.paths:
        if not _PATTERN & {*typed}:
            paths.append(typed)
            continue
        found = [name_of(each) for each in gateway.files(arguments.job, typed)]
        if not found:
            raise NotThere(f"job {arguments.job} has no file that fits {typed}")
        paths += found
    return list(dict.fromkeys(paths))


def _place(into: Path, path: str) -> Path:
    """Keep below the directory, whatever a gateway calls its files."""
    names = path.split("/")
    if any(name in ("", ".", "..") or "\0" in name for name in names):
        raise SettingsError([f"{path!a}: expected a path that leads down from the job's folder"])
    return into.joinpath(*names)


def _get(
    gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace, path: str, place: Path
) -> None:
    if place.exists() and not arguments.force:
        raise SettingsError([f"{place} is there already; --force overwrites it"])
    facts = gateway.look_at(arguments.job, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(place, facts)
    with terminal.waiting(f"{path}, {size(facts.size)}"), part.open("ab") as into:
        if not facts.can_go_on:
            into.seek(0)
            into.truncate()
        there = into.tell()
        if there != facts.size or not facts.can_go_on:
            begun = Begun(there, facts.tag) if there else Begun()
            gateway.take(arguments.job, path, into, begun=begun)
    part.replace(place)
    terminal.line(str(place))


def _part_of(place: Path, facts: FileFacts) -> Path:
    version = hashlib.sha256(facts.tag.encode()).hexdigest()[:12]
    return place.with_name(f"{place.name}.{version}.part")
