"""A file of a job's folder taken whole: where it was cut off, from there on."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes

import requests

from waldur_slurm.gateway.errors import BeyondEnd, GatewayError, NotNow
from waldur_slurm.gateway.patience import Patient, read_answer
from waldur_slurm.gateway.wire import DigestView, FileView

CHUNK = 128 * 1024


class Into(Protocol):
    """Where a file goes."""

    def write(self, data: bytes, /) -> int: ...


class NotThisFile(GatewayError):
    """A file became another one while it was taken."""


@dataclass(frozen=True, slots=True)
class Begun:
    """How much of which file is there already; with an empty `tag` it is begun anew."""

    size: int = 0
    tag: str = ""


NOT_BEGUN = Begun()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """`tag` changes with the file; a file that was changed just now has none to go on with."""

    size: int
    tag: str

    @property
    def can_go_on(self) -> bool:
        return bool(self.tag) and not self.tag.startswith("W/")


@dataclass(frozen=True, slots=True)
class ListedFiles:
    """`is_whole`: there are no more than these."""

    files: list[FileView]
    is_whole: bool


def list_files(asker: Patient, job_path: str, glob: str) -> ListedFiles:
    with asker.ask("GET", f"{job_path}/files", params={"glob": glob}) as response:
        is_whole = response.headers.get("X-Truncated") != "true"
        return ListedFiles(read_answer(list[FileView], response), is_whole)


def name_of(file: FileView) -> str:
    """Return its path as `take` wants it: exact, also where it is no UTF-8."""
    path = file.href.partition("/jobs/")[2].partition("/files/")[2]
    return unquote_to_bytes(path).decode("utf-8", "surrogateescape")


def look_at_file(asker: Patient, address: str) -> FileFacts:
    return _look(asker, address, {})


def look_at_output(asker: Patient, address: str) -> FileFacts:
    """Asked for as a part, it is a file like any other; an empty one has no part."""
    try:
        return _look(asker, address, {"Range": "bytes=0-"})
    except BeyondEnd as error:
        return FileFacts(error.size, "")


def digest_of_file(asker: Patient, address: str) -> DigestView:
    return asker.told(DigestView, "GET", address, params={"digest": "sha-256"})


def take_file(asker: Patient, address: str, into: Into, begun: Begun) -> int:
    size, tag = begun.size if begun.tag else 0, begun.tag
    while True:
        headers = {"Range": f"bytes={size}-", "If-Range": tag} if tag else {}
        with asker.ask("GET", address, headers=headers, stream=True) as response:
            if tag and response.status_code != 206:
                raise NotThisFile("the file changed while it was taken")
            tag, before = response.headers.get("ETag", ""), size
            try:
                for chunk in response.iter_content(CHUNK):
                    size += into.write(chunk)
            except requests.RequestException as error:
                if not tag or size == before:
                    raise NotNow(f"the file was cut off: {error}") from error
                continue
        return size


def _look(asker: Patient, address: str, headers: dict[str, str]) -> FileFacts:
    with asker.ask("GET", address, headers=headers, stream=True) as response:
        return FileFacts(
            int(response.headers.get("Content-Length", 0)), response.headers.get("ETag", "")
        )


def address_of_output(job_path: str, stream: str) -> str:
    return f"{job_path}/output?stream={stream}"


def address_of(job_path: str, path: str) -> str:
    return f"{job_path}/files/{quote(path.encode('utf-8', 'surrogateescape'))}"
