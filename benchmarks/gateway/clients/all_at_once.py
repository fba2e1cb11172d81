"""`python3 -m benchmarks.gateway.clients.all_at_once PORT PATH COUNT`: asks it all at once.

Each has a connection of its own and unpacks nothing: what is timed is the gateway, beside which the
clients share the same processors.
"""

import asyncio
import json
import sys
import time


def main() -> None:
    port, path, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    told = asyncio.run(_all_at_once(port, path, count))
    sys.stdout.write(json.dumps(told))


async def _all_at_once(port: int, path: str, count: int) -> list[tuple[int, int, float]]:
    """Return each one's status, how many bytes came, and after how many seconds the last did."""
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    ).encode()
    began = time.monotonic()

    async def ask(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[int, int, float]:
        writer.write(request)
        status = int((await reader.readline()).split()[1])
        size = 0
        while part := await reader.read(1 << 20):
            size += len(part)
        writer.close()
        return status, size, time.monotonic() - began

    return await asyncio.gather(*(ask(*connection) for connection in connections))


if __name__ == "__main__":
    main()
