"""What pages are dressed and moved by: read once, named by its content, kept for ever.

All lie in one folder whose name is a digest of them all: whatever changes is another address, and a
module finds its neighbours by their plain names.
"""

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from starlette.responses import Response

from waldur_slurm.gateway.errors import NotThere
from waldur_slurm.gateway.web.ask import Ask

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"


class _File(NamedTuple):
    kind: str
    packed: bytes


@cache
def _all() -> dict[str, _File]:
    found = {}
    for file in (files("waldur_slurm.gateway.web.pages") / "static").iterdir():
        kind = _KINDS.get(f".{file.name.rpartition('.')[2]}")
        if kind:
            found[file.name] = _File(kind, gzip.compress(file.read_bytes(), 9, mtime=0))
    return found


@cache
def version() -> str:
    whole = sha256()
    for name, file in sorted(_all().items()):
        whole.update(f"{name} {len(file.packed)} ".encode() + file.packed)
    return whole.hexdigest()[:16]


async def send_static(ask: Ask) -> Response:
    """Send a file; of an older release's address whoever asks is told that there is none."""
    params = ask.request.path_params
    file = _all().get(params["file"]) if params["version"] == version() else None
    if file is None:
        raise NotThere("there is no such file; reload the page")
    headers = {
        "Cache-Control": _FOR_EVER,
        "ETag": f'"{version()}"',
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": file.kind,
    }
    if ask.request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if "gzip" in ask.request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(file.packed), headers=headers)
