"""The files of a job that is over, copied to the claim: each as it is, whole, and once.

What is there whole already is kept, what is there in part is gone on with; so it may be done again
at any time. One file that cannot be had stops none of the others.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from waldur_slurm.operator.companion.claim import Claim, Place
from waldur_slurm.operator.companion.errors import (
    Changing,
    CompanionError,
    TokenEnded,
    TryAnother,
)
from waldur_slurm.operator.companion.port import JobNow, Source, Version
from waldur_slurm.operator.model.collected import Collected, CollectedFile, collected

ATTEMPTS = 3
SETTLING_S, SETTLING_LOOKS = 1.0, 10
"""How long a file that was changed just now is waited for: its time may hide another change."""

_SPECIAL = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file, and where it goes; a path of None is the standard output."""

    path: str | None
    place: str


class Collector:
    def __init__(
        self, source: Source, claim: Claim, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._source = source
        self._claim = claim
        self._sleep = sleep

    def collect(self, pattern: str, job: JobNow, job_id: str) -> Collected:
        """Copy what fits; raises where nothing more can be done now, or there is nothing."""
        wanted = self._wanted(pattern, job, job_id)
        done: list[CollectedFile] = []
        troubles: list[str] = []
        for each in wanted:
            try:
                done.append(self._copy(each))
            except (TryAnother, TokenEnded):
                raise
            except CompanionError as error:
                troubles.append(f"{each.place}: {error}")
        return collected(done, _in_words(troubles, len(wanted)))

    def _wanted(self, pattern: str, job: JobNow, job_id: str) -> Sequence[Wanted]:
        if not pattern:
            return [_output(job, job_id)]
        if not _SPECIAL & {*pattern}:
            return [Wanted(pattern, pattern)]
        found = self._source.list_files(pattern)
        if not found.paths:
            raise CompanionError(f"the job has no file that fits {pattern}")
        if not found.is_whole:
            raise CompanionError(f"more files fit {pattern} than a gateway lists: narrow it")
        return [Wanted(path, path) for path in found.paths]

    def _copy(self, wanted: Wanted) -> CollectedFile:
        """One that changed meanwhile is begun anew, some times."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                version = self._settled(wanted.path)
                with self._claim.place(wanted.place) as place:
                    digest = self._bring(wanted, version, place)
                return CollectedFile(wanted.place, version.size, digest)
            except Changing:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _settled(self, path: str | None) -> Version:
        version = self._source.look_at(path)
        for _ in range(SETTLING_LOOKS):
            if version.tag or not version.size:
                return version
            self._sleep(SETTLING_S)
            version = self._source.look_at(path)
        raise Changing("it goes on changing though the job is over")

    def _bring(self, wanted: Wanted, version: Version, place: Place) -> str:
        if place.has_file_of(version.size):
            kept = place.digest()
            if kept == self._source.read_digest(wanted.path):
                return kept
        with place.partial(version.tag) as partial:
            self._source.take(wanted.path, version, partial)
            digest = partial.sync()
        if not self._is_true(wanted.path, version, digest):
            place.drop(version.tag)
            raise Changing("it changed while it was copied")
        place.finish(version.tag)
        return digest

    def _is_true(self, path: str | None, version: Version, digest: str) -> bool:
        """Whether it is still what was copied, and what was copied is that."""
        there = self._source.read_digest(path)
        return there in ("", digest) and self._source.look_at(path) == version


def _output(job: JobNow, job_id: str) -> Wanted:
    if job.is_array:
        raise CompanionError(
            "an array has an output a task: say in results.from which files to collect, such as"
            f" slurm-{job_id}_*.out"
        )
    name = PurePosixPath(job.stdout).name or f"slurm-{job_id}.out"
    return Wanted(None, name)


def _in_words(troubles: Sequence[str], of: int) -> str:
    if not troubles:
        return ""
    if of == 1:
        return troubles[0]
    return f"{len(troubles)} of {of} files were not collected; {troubles[0]}"
