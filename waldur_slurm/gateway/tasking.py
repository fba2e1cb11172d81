"""Builds what takes tasks, and what finishes them. Nothing here decides anything."""

from importlib.resources import files
from pathlib import Path
from threading import Event as Bell
from typing import NamedTuple

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.acting.audit import Audit
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.tasks import StoredTasks
from waldur_slurm.gateway.submits.submitter import Submitter
from waldur_slurm.gateway.tasks.desk import Desk, LetAsk, PartitionsOf
from waldur_slurm.gateway.tasks.finisher import Finisher
from waldur_slurm.gateway.tasks.names import Names, parse_names
from waldur_slurm.telemetry.events import Sink


class Tasking(NamedTuple):
    """Who takes tasks, and who finds out what became of those that were left."""

    desk: Desk
    finisher: Finisher


def tasking_of(
    names: Path | None,
    database: Database,
    submitter: Submitter,
    audit: Audit,
    let_ask: LetAsk,
    partitions_of: PartitionsOf,
    tell: Sink,
) -> Tasking:
    bell = Bell()
    desk = Desk(
        StoredTasks(database),
        submitter,
        audit,
        names_of(names),
        let_ask,
        partitions_of=partitions_of,
        wake=bell.set,
    )
    return Tasking(desk, Finisher(desk, bell, tell))


def names_of(path: Path | None) -> Names:
    """Read the package's names and the site's own, which count; a mistake is one of settings."""
    shipped = (files("waldur_slurm.gateway.tasks") / "names.yaml").read_text(encoding="utf-8")
    return {**parse_names(shipped), **(_read(path) if path else {})}


def _read(path: Path) -> Names:
    try:
        return parse_names(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            [f"GATEWAY_TASK_NAMES: cannot read {path}: {error.strerror}"]
        ) from error
    except UnicodeDecodeError:
        raise SettingsError([f"GATEWAY_TASK_NAMES: {path}: not text in UTF-8"]) from None
    except ValueError as error:
        raise SettingsError([f"GATEWAY_TASK_NAMES: {path}: {error}"]) from None
