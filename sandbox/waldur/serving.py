"""What the server's own process runs: listen, announce the port, end in time."""

import argparse
import json
import os
import sys
import threading
from pathlib import Path

from sandbox.waldur.process import ADDRESS_FILE
from sandbox.waldur.server import LOOPBACK, serve
from sandbox.waldur.store import Store


def _announce(directory: Path, port: int) -> None:
    fresh = directory / f"{ADDRESS_FILE}.new"
    fresh.write_text(json.dumps({"pid": os.getpid(), "port": port}))
    fresh.rename(directory / ADDRESS_FILE)


def _end_with_starter() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--listen", default=LOOPBACK, help="another address: in a container only")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--until-stdin-closes", action="store_true")
    wanted = parser.parse_args()
    server = serve(Store(wanted.directory), wanted.port, wanted.seconds, wanted.listen)
    if wanted.until_stdin_closes:
        threading.Thread(target=_end_with_starter, daemon=True).start()
    _announce(wanted.directory, server.server_port)
    server.serve_forever(poll_interval=0.2)
    (wanted.directory / ADDRESS_FILE).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
