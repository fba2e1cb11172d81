"""Hostile code that has become the gateway: its user, its ways to the hand, and nothing else.

Run by `python3 -I` as that user; what it is told comes as JSON on stdin, what came of each try goes
as JSON to stdout: "done" where it succeeded, else what stopped it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

Request = dict[str, Any]
ENVIRON = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "SUDO_UID": "0",
    "EXECUTOR_UID": "0",
    "PYTHONPATH": "/proc/self/cwd",
    "LD_PRELOAD": "/nonexistent.so",
}
"""What it would have a hand believe."""


def speak(way: list[str], socket_path: str, request: Request, body: bytes) -> str:
    """Have one conversation with the hand, by a command or by its socket."""
    said = b"".join(
        kind + len(text).to_bytes(4, "big") + text
        for kind, text in ((b"R", json.dumps(request).encode()), (b"D", body), (b"E", b""))
    )
    if way:
        done = subprocess.run(way, input=said, capture_output=True, env=ENVIRON, timeout=60)
        return ending(done.stdout) or f"unheard: {done.stderr[:200]!r}"
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(60)
        asker.connect(socket_path)
        heard = b""
        try:
            asker.sendall(said)
            while part := asker.recv(65536):
                heard += part
        except OSError:
            pass
        return ending(heard) or "unheard"


def ending(heard: bytes) -> str:
    """Return how the hand says that it ended; nothing where it does not."""
    while len(heard) >= 5:
        kind, size = heard[:1], int.from_bytes(heard[1:5], "big")
        if kind == b"E":
            answer = json.loads(heard[5 : 5 + size])
            return f"{answer['outcome']} {answer['why']}".strip()
        heard = heard[5 + size :]
    return ""


def attempts(told: Request) -> Iterator[tuple[str, Callable[[], object]]]:
    for path in map(Path, told["roots_own"]):
        yield f"write {path}", partial(path.write_bytes, b"x")
        yield f"chmod {path}", partial(path.chmod, 0o777)
        yield f"remove {path}", path.unlink
        yield f"replace {path}", partial(Path(told["mine"]).rename, path)
    for argv in told["commands"]:
        yield " ".join(argv), partial(started, argv)
    yield "setuid", partial(os.setuid, 0)
    yield "setgid", partial(os.setgid, 0)
    yield "setgroups", partial(os.setgroups, [0])
    yield "kill the service", partial(os.kill, told["service"], signal.SIGTERM)
    yield "read the service", Path(f"/proc/{told['service']}/mem").read_bytes


def started(argv: list[str]) -> None:
    done = subprocess.run(
        argv, capture_output=True, env=ENVIRON, timeout=60, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise PermissionError(f"exit {done.returncode}")


def tried(work: Callable[[], object]) -> str:
    try:
        ended = work()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    return ended if isinstance(ended, str) else "done"


def main() -> None:
    told = json.loads(sys.stdin.read())
    found = {what: tried(work) for what, work in attempts(told)}
    for what, way, request, body in told["asked"]:
        found[what] = tried(partial(speak, way, told["socket"], request, body.encode()))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
