"""slurm-proxy's recorded exchanges, asked again of a gateway, and whether they are answered alike.

Lines are called by their numbers in the file, from 1 on.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.proxy_site import Office
from tests.fixtures_hand import ANN, BOB, HandSite
from tests.places import RECORDED

WAITS_OR_RUNS = ("PENDING", "RUNNING")
"""Which of both a job is, is a matter of when it was looked at."""

_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?")
_TIME_EXTENDED = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
_ID = re.compile(r"[0-9a-f]{24}")


class Other(NamedTuple):
    """How a line is answered here, where that is meant to be otherwise.

    `body` is a pattern of the whole body; without one it is the recorded one.
    """

    status: int
    body: str = ""


@dataclass(frozen=True)
class Exchange:
    number: int
    case: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]

    @property
    def path(self) -> str:
        query = self.request.get("query")
        return f"{self.request['path']}?{query}" if query else str(self.request["path"])

    @property
    def is_page(self) -> bool:
        return str(self.response["content_type"]).startswith("text/html")


def exchanges() -> Iterator[Exchange]:
    """All of them; the last three lines of the file are mails."""
    for number, line in enumerate(_lines(), 1):
        if "request" in line:
            yield Exchange(number, line["case"], line["request"], line["response"])


def mails() -> dict[int, Mapping[str, Any]]:
    return {number: line["mail"] for number, line in enumerate(_lines(), 1) if "mail" in line}


def _lines() -> list[dict[str, Any]]:
    text = (RECORDED / "gateway" / "proxy.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@dataclass
class Replay:
    """`numbers` are recorded jobs with those that took their place."""

    office: Office
    hand: HandSite
    numbers: dict[int, int] = field(default_factory=dict)

    def ask(self, exchange: Exchange) -> Answer:
        headers = {
            name.replace("-", "_"): value for name, value in exchange.request["headers"].items()
        }
        body = exchange.request.get("body")
        content = None if body is None else self.ours(body).encode()
        method = exchange.request["method"]
        answer = self.office.send(method, self._path(exchange.path), content, **headers)
        self._learn(exchange, answer)
        return answer

    def ours(self, text: str) -> str:
        """Put this site's users, homes and jobs in the place of the recorded ones."""
        for recorded, user in (("alice", ANN), ("bob", BOB)):
            text = text.replace(f"/home/{recorded}", str(self.hand.home(user)))
            text = re.sub(rf'(["\'=]){recorded}(["\']|$)', rf"\g<1>{user}\g<2>", text)
        for recorded_number, number in self.numbers.items():
            text = re.sub(rf'(job_id"?\'?: "?){recorded_number}\b', rf"\g<1>{number}", text)
        return text

    def _path(self, path: str) -> str:
        found = re.match(r"(/monitor/slurm_job_id/|/slurm/job/)(\d+)(.*)", path)
        if found and int(found[2]) in self.numbers:
            path = f"{found[1]}{self.numbers[int(found[2])]}{found[3]}"
        return self.ours(path)

    def _learn(self, exchange: Exchange, answer: Answer) -> None:
        """Note which job took the place of the recorded one."""
        recorded, found = _json(exchange.response.get("body")), _json(answer.body)
        for each in (recorded, found):
            if not isinstance(each, dict) or "slurm_job_id" not in each:
                return
        self.numbers.setdefault(recorded["slurm_job_id"], found["slurm_job_id"])

    def difference(self, exchange: Exchange, answer: Answer, other: Other | None) -> str:
        """Say in what the answer is another than was to be expected; nothing where it is not."""
        status = other.status if other else exchange.response["status"]
        if answer.status != status:
            return f"{exchange.case}: {answer.status} {answer.body[:300]!r}, expected {status}"
        kind = answer.headers.get("content-type")
        wanted_kind = "application/json" if other else exchange.response["content_type"]
        if kind != wanted_kind and not (other and exchange.case.startswith("ping")):
            return f"{exchange.case}: {kind}, expected {wanted_kind}"
        text = answer.body.decode()
        if other and other.body:
            is_same = re.fullmatch(other.body, text, re.DOTALL) is not None
            return "" if is_same else f"{exchange.case}: {text!r}, expected {other.body}"
        expected = self.expected(exchange.response["body"], text)
        return "" if text == expected else f"{exchange.case}: {text!r}, expected {expected!r}"

    def expected(self, recorded: str, found: str) -> str:
        """Return the recorded body, with what is of one day alone taken from the one found."""
        told, ours = _json(self.ours(recorded)), _json(found)
        if told is None or ours is None:
            return self._duplicate(self.ours(recorded), found)
        if isinstance(told, dict) and str(told.get("error", "")).count(" - {"):
            return self._duplicate(self.ours(recorded), found)
        is_indented = recorded.startswith("{\n")
        text = json.dumps(
            _of_the_day(told, ours),
            indent=4 if is_indented else None,
            separators=None if is_indented else (",", ":"),
        )
        return f"{text}\n"

    @staticmethod
    def _duplicate(recorded: str, found: str) -> str:
        """A record within an error has a time, an id and a state of its own day too."""
        for pattern in (
            r"'created_at': '[^']*'",
            r"'updated_at': ('[^']*'|None)",
            r"'_id': '[^']*'",
            r"'slurm_job_state': '[A-Z]*'",
        ):
            ours = re.search(pattern, found)
            if ours:
                recorded = re.sub(pattern, lambda _, new=ours[0]: new, recorded)
        return recorded


def _of_the_day(told: Any, ours: Any) -> Any:
    """Keep what was recorded, but for times, ids, and how far a job is at the moment."""
    if not isinstance(told, dict) or not isinstance(ours, dict):
        return told
    made = {}
    for name, value in told.items():
        mine = ours.get(name)
        if name in _OF_THE_DAY and _OF_THE_DAY[name](value, mine):
            made[name] = mine
        elif name in ("job_state", "slurm_job_state") and isinstance(mine, str):
            made[name] = _state(name, value, mine)
        else:
            made[name] = _of_the_day(value, mine)
    return made


def _is_time(recorded: Any, mine: Any) -> bool:
    """Whether both are times in one spelling; nothing was updated before it was looked at."""
    if isinstance(mine, dict):
        return mine.keys() == {"$date"} and bool(_TIME_EXTENDED.fullmatch(mine["$date"]))
    return mine is None or (not isinstance(recorded, dict) and bool(_TIME.fullmatch(str(mine))))


def _is_id(recorded: Any, mine: Any) -> bool:
    if isinstance(recorded, dict):
        return isinstance(mine, dict) and _is_id("", mine.get("$oid"))
    return bool(_ID.fullmatch(str(mine)))


_OF_THE_DAY: Mapping[str, Callable[[Any, Any], bool]] = {
    "created_at": _is_time,
    "updated_at": _is_time,
    "_id": _is_id,
}


def _state(name: str, recorded: str, mine: str) -> str:
    """What was seen last is a matter of when the job was looked at."""
    if name == "slurm_job_state" or {recorded, mine} <= {*WAITS_OR_RUNS}:
        return mine
    return recorded


def _json(text: str | bytes | None) -> Any:
    try:
        return json.loads(text or "")
    except ValueError:
        return None
