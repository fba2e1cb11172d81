"""Asks an ASGI application within the process: what a client sends, and what comes back."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Message

_A_READING_S = 0.5


@dataclass(frozen=True)
class Asked:
    """One request; headers are pairs, as some may come twice."""

    path: str
    """As it is sent: what stands for itself only when it is quoted has to be quoted."""
    method: str = "GET"
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    client: tuple[str, int] = ("127.0.0.1", 40_000)
    server: tuple[str, int] = ("127.0.0.1", 8040)


@dataclass
class Answered:
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cookies: Sequence[str] = ()
    """What is to be kept: the one header that comes several times."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Each call is a loop of its own, in which all that was asked together runs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def get(self, path: str, **headers: str) -> Answered:
        """`headers` are names with _ for -."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return self.ask(Asked(path, headers=named))

    def ask(self, asked: Asked) -> Answered:
        return self.together([asked])[0]

    def together(self, asked: Sequence[Asked]) -> list[Answered]:
        """Ask all at the same moment."""

        async def all_of_them() -> list[Answered]:
            answered = await asyncio.gather(*(self.one(each) for each in asked))
            # A reading that was begun beside ends with its loop: let it end by itself.
            if beside := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(beside, timeout=_A_READING_S)
            return answered

        return asyncio.run(all_of_them())

    async def one(self, asked: Asked) -> Answered:
        path, _, query = asked.path.partition("?")
        given = [Given(asked.body)]
        answered = Answered()

        async def receive() -> Message:
            if given:
                return {"type": "http.request", "body": given.pop().body, "more_body": False}
            await asyncio.sleep(3600)  # a client that stays
            raise AssertionError("no client stays for so long")

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.status = message["status"]
                pairs = message.get("headers", ())
                answered.cookies = [
                    value.decode() for name, value in pairs if name == b"set-cookie"
                ]
                answered.headers = {name.decode(): value.decode() for name, value in pairs}
            else:
                answered.body += bytes(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": asked.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": quote(path, safe="/%").encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in asked.headers],
            "client": asked.client,
            "server": asked.server,
        }
        await self._app(scope, receive, send)
        return answered


@dataclass(frozen=True)
class Given:
    """A body that has not been read yet."""

    body: bytes
