"""Images for a bed's node, made without a container engine: one layer of files each."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.slurm.cache import cached
from sandbox.slurm.errors import SandboxError

_PAUSE_SOURCE = "int pause(void); int main(void) { for (;;) pause(); }\n"
_PATH = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_PLACES = {"tmp": 0o1777, "etc": 0o755, "proc": 0o755, "sys": 0o755, "dev": 0o755}


def write_image(
    archive: Path, name: str, command: Sequence[str], files: Mapping[str, Path]
) -> None:
    """Write an archive as `docker save` does; `files` maps a path in it to one here.

    A directory is taken with all that is below it, but for devices.
    """
    layer = _layer(files)
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": list(command), "Env": [_PATH]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        _add(tar, config_name, config)
        _add(tar, f"{digest}/layer.tar", layer)
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def pause_image(name: str) -> Path:
    """Return the archive of what holds a pod's namespaces: a program that does nothing."""
    digest = hashlib.sha256(f"{name}\n{_PAUSE_SOURCE}".encode()).hexdigest()[:16]

    def make(place: Path) -> None:
        program = place / "pause"
        compiler = ["cc", "-x", "c", "-O2", "-static", "-o", str(program), "-"]
        made = subprocess.run(compiler, input=_PAUSE_SOURCE, capture_output=True, text=True)
        if made.returncode:
            raise SandboxError(f"cc could not compile the pause program:\n{made.stderr}")
        write_image(place / "pause.tar", name, ["/pause"], {"pause": program})

    return cached(f"pause-{digest}", make) / "pause.tar"


def _layer(files: Mapping[str, Path]) -> bytes:
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for path, mode in _PLACES.items():
            if not any(source.is_dir() and not inside for inside, source in files.items()):
                _add_directory(tar, path, mode)
        for inside, source in files.items():
            tar.add(source.resolve(), inside, filter=_as_roots)
    return layer.getvalue()


def _as_roots(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if member.ischr() or member.isblk():
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _add_directory(tar: tarfile.TarFile, path: str, mode: int) -> None:
    member = tarfile.TarInfo(path)
    member.type, member.mode = tarfile.DIRTYPE, mode
    tar.addfile(member)


def _add(tar: tarfile.TarFile, path: str, content: bytes) -> None:
    member = tarfile.TarInfo(path)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
