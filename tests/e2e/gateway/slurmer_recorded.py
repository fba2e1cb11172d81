"""Slurmer's recorded exchanges, asked again of a gateway, and whether they are answered alike."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pwd import getpwnam
from typing import Any, NamedTuple

from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.slurmer_site import Slurmer
from tests.fixtures_hand import ANN, BOB, CALLER
from tests.places import RECORDED

USERS = {"alice": ANN, "bob": BOB, "slurmer": CALLER}
STARTED = ("PENDING", "RUNNING")
"""Which of both a job is, is a matter of when it was looked at."""


class Other(NamedTuple):
    """How a line is answered here; no body: that of the recorded answer."""

    status: int
    body: str | None = None


@dataclass(frozen=True)
class Exchange:
    number: int
    case: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Headers as they were sent, one that came twice twice."""
        pairs: list[tuple[str, str]] = []
        for name, value in self.request["headers"].items():
            values = value if isinstance(value, list) else [value]
            pairs += [(name, USERS.get(each, str(each))) for each in values]
        return pairs

    @property
    def json(self) -> Any:
        """What the recorded body holds; None where it is no JSON."""
        try:
            return json.loads(content(self.response))
        except ValueError:
            return None


def exchanges() -> Iterator[Exchange]:
    text = (RECORDED / "gateway" / "slurmer.jsonl").read_text(encoding="utf-8")
    for number, line in enumerate(map(json.loads, text.splitlines())):
        yield Exchange(number, line["case"], line["request"], line["response"])


def content(side: Mapping[str, Any]) -> bytes:
    if "body_base64" in side:
        return base64.b64decode(side["body_base64"])
    return (side.get("body") or "").encode()


def members(body: bytes) -> list[tuple[str, int]]:
    """What an archive holds, and how each is packed."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return sorted((info.filename, info.compress_type) for info in archive.infolist())


@dataclass
class Replay:
    """`ids` and `numbers` are recorded ones with those that took their place."""

    slurmer: Slurmer
    admin: str
    ids: dict[str, str] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)

    def ask(self, exchange: Exchange, **changed: str) -> Answer:
        """Ask as it was asked; what lists or makes apps is asked by the admin."""
        headers = [(name, changed.get(name, value)) for name, value in exchange.headers]
        if exchange.request["path"].rstrip("/") == "/apps":
            headers.append(("X-Auth-Token", self.admin))
        path, body = self._translated(exchange.request["path"]), content(exchange.request)
        answer = self.slurmer.ask_with(exchange.request["method"], path, body, headers)
        recorded = exchange.json
        if isinstance(recorded, dict) and "id" in recorded and "id" not in self.ids:
            self.ids.setdefault(recorded["id"], _id_in(answer) or recorded["id"])
        return answer

    def where(self, exchange: Exchange) -> str:
        """Return the address of the job that the line is about."""
        return self._translated("/".join(exchange.request["path"].split("/")[:5]))

    def difference(self, exchange: Exchange, answer: Answer, other: Other | None) -> str:
        """Say in what the answer is another than was to be expected; nothing where it is not."""
        status = other.status if other else exchange.response["status"]
        if answer.status != status:
            detail = answer.headers.get("x-detail", "")
            return f"{exchange.case}: {answer.status} {detail}, expected {status}"
        kind = answer.headers.get("content-type")
        expected = self._expected_kind(exchange, other)
        if answer.body and kind != expected:
            return f"{exchange.case}: {kind}, expected {expected}"
        found: object
        wanted: object
        if kind == "application/zip":
            found, wanted = members(answer.body), self._members(exchange)
        elif other is not None and other.body is not None:
            found, wanted = answer.body.decode(), other.body
        elif kind == "application/json" and answer.body:
            found, wanted = answer.json, self._expected(exchange.json, answer.json)
        else:
            found, wanted = answer.body.decode(), self._text(exchange)
        return "" if found == wanted else f"{exchange.case}: {found!r}, expected {wanted!r}"

    def _expected_kind(self, exchange: Exchange, other: Other | None) -> str:
        if other is None:
            return str(exchange.response["content_type"])
        is_refusal = other.status >= 400
        return "text/plain; charset=utf-8" if is_refusal else self._kind(exchange)

    @staticmethod
    def _kind(exchange: Exchange) -> str:
        """What such a request is answered with when it is not refused."""
        last = exchange.request["path"].rstrip("/").rpartition("/")[2]
        return {"batch": "text/plain", "out": "text/plain"}.get(last, "application/json")

    def _text(self, exchange: Exchange) -> str:
        """A misspelt word of the original's template is spelt here; values are quoted whole."""
        text = content(exchange.response).decode()
        text = text.replace("#SBTACH", "#SBATCH").replace("=a comment\n", '="a comment"\n')
        return self._numbered(text)

    def _numbered(self, text: str) -> str:
        for recorded, ours in self.numbers.items():
            text = text.replace(f"slurm-{recorded}.out", f"slurm-{ours}.out")
        return text

    def _members(self, exchange: Exchange) -> list[tuple[str, int]]:
        recorded = members(content(exchange.response))
        return sorted((self._numbered(name), packed) for name, packed in recorded)

    def _expected(self, recorded: Any, ours: Any) -> Any:
        if isinstance(recorded, list):
            return [self._expected(*pair) for pair in zip(recorded, ours, strict=False)]
        if isinstance(recorded, dict) and "access_token" in recorded:
            return self._expected_app(recorded, ours)
        if isinstance(recorded, dict) and "slurm_id" in recorded:
            return self._expected_job(recorded, ours)
        return recorded

    def _expected_app(self, recorded: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
        """A token is shown once, to who made the app, and is one of the gateway's own."""
        app_id = self.ids.get(recorded["id"], recorded["id"])
        token = ours["access_token"]
        is_new = token is not None and token.startswith("sgw_")
        return {
            "name": recorded["name"],
            "access_token": token if is_new and app_id != recorded["id"] else None,
            "directory": f"applications/{app_id}",
            "id": app_id,
        }

    def _expected_job(self, recorded: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
        number = recorded["slurm_id"]
        if number:
            number = self.numbers.setdefault(number, ours["slurm_id"])
        return {
            **recorded,
            "id": self.ids[recorded["id"]],
            "user_name": USERS[recorded["user_name"]],
            "slurm_id": number,
            "slurm_job": self._expected_slurm_job(recorded, number, ours["slurm_job"]),
        }

    @staticmethod
    def _expected_slurm_job(
        job: dict[str, Any], number: int, ours: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """The job has the name that it was given, which the original's template lost."""
        recorded = job["slurm_job"]
        if recorded is None:
            return None
        user = USERS[recorded["user_name"]]
        state, found = recorded["job_state"], ours["job_state"] if ours else ""
        return {
            **recorded,
            "job_id": number,
            "job_state": found if state in STARTED and found in STARTED else state,
            "state_reason": ours["state_reason"] if ours and found in STARTED else "None",
            "name": job["name"] or "batch.sh",
            "user_name": user,
            "user_id": getpwnam(user).pw_uid,
        }

    def _translated(self, text: str) -> str:
        for recorded, ours in self.ids.items():
            text = text.replace(recorded, ours)
        return text


def _id_in(answer: Answer) -> str:
    try:
        return str(answer.json["id"])
    except (ValueError, TypeError, KeyError):
        return ""
