"""One companion from its first line to its last words.

What it needs is in files: in an environment others could read it. Its output is the job's; what it
says itself goes to standard error. Its last words are for the operator.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from waldur_slurm.errors import SettingsError
from waldur_slurm.model.counting import counted
from waldur_slurm.operator.companion.asking import GatewaySource, open_gateway
from waldur_slurm.operator.companion.claim import Claim
from waldur_slurm.operator.companion.collect import Collector
from waldur_slurm.operator.companion.errors import CompanionError
from waldur_slurm.operator.companion.following import follow, write_errors
from waldur_slurm.operator.companion.port import JobNow, Source
from waldur_slurm.operator.model.collected import COLLECTED, FAILED, Collected, to_message
from waldur_slurm.operator.model.order import ORDER, TOKEN, TRUST, Order, read_order
from waldur_slurm.operator.model.slurm_job import When
from waldur_slurm.telemetry.lines import visible


@dataclass(frozen=True, slots=True)
class Places:
    """Where a pod has things: what is to be done, the claim, and a file for the last words."""

    told: Path
    into: Path
    message: Path


def run(places: Places) -> int:
    order, token, trust = _read(places.told)
    with open_gateway(order, token, trust) as gateway:
        return serve(GatewaySource(gateway, order.job_id, say), order, places)


def serve(source: Source, order: Order, places: Places) -> int:
    """Follow the job, collect what it left, and return the exit code."""
    try:
        told, code = _do(source, order, places)
    except CompanionError as error:
        told, code = Collected(words=str(error)), error.code
    if told.words:
        say(told.words)
    _leave_message(places.message, to_message(told))
    return code


def say(words: str) -> None:
    sys.stderr.write(f"job-companion: {visible('; '.join(words.splitlines()))}\n")
    sys.stderr.flush()


def _do(source: Source, order: Order, places: Places) -> tuple[Collected, int]:
    job = follow(source, _writer(), say)
    if not job.is_well:
        say(f"the job ended: {job.state}")
        write_errors(source, job, _writer(to_errors=True), say)
    if not _is_asked_for(order.when, job):
        words = (
            f"nothing is collected of a job that ended {job.state}: results.when is {order.when}"
        )
        return Collected(words=words), COLLECTED
    claim = Claim(places.into, order.folder)
    told = Collector(source, claim).collect(order.source, job, order.job_id)
    say(f"{counted(told.count, 'file')} collected, {counted(told.size, 'byte')}")
    return told, FAILED if told.words else COLLECTED


def _is_asked_for(when: When, job: JobNow) -> bool:
    return job.is_well or when is When.ALWAYS


def _writer(*, to_errors: bool = False) -> Callable[[bytes], None]:
    stream = sys.stderr.buffer if to_errors else sys.stdout.buffer

    def write(data: bytes) -> None:
        stream.write(data)
        stream.flush()

    return write


def _read(told: Path) -> tuple[Order, str, bool | str]:
    trust = told / TRUST
    try:
        order = read_order((told / ORDER).read_text(encoding="utf-8"))
        token = (told / TOKEN).read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError([f"{error.filename} cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise SettingsError([f"what is to be done in {told} is not understood: {error}"]) from error
    return order, token, str(trust) if trust.exists() else True


def _leave_message(file: Path, text: str) -> None:
    """Where there is nobody to read it, all was said already."""
    try:
        file.write_text(text, encoding="ascii")
    except OSError as error:
        say(f"the last words cannot be written to {file}: {error.strerror}")
