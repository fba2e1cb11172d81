"""The fault switch: for the n-th call of a route, or all of them, the answer goes wrong on purpose.

The count lives in the state, so that it goes on over a restart of the server.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.waldur.answers import NOT_FOUND_PAGE, NOTHING, SERVER_ERROR_PAGE, Answer
from sandbox.waldur.store import Store

Kind = Literal[
    "status",
    "delay",
    "drop_before",
    "drop_after",
    "truncate",
    "wrong_types",
    "redirect",
    "retry_after",
    "empty_list",
    "half_list",
]
PAGES = {404: NOT_FOUND_PAGE}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, where and when.

    route: method and path under `api/`; `*` stands for one part (or any method), `**` for the rest.
    value: the status; seconds of delay; where the redirect leads; seconds of Retry-After.
    """

    route: str
    kind: Kind
    nth: int | Literal["all"] = "all"
    value: Any = None


def set_fault(store: Store, fault: Fault) -> None:
    store.run(
        "INSERT INTO faults (route, nth, kind, value) VALUES (?, ?, ?, ?)",
        fault.route,
        str(fault.nth),
        fault.kind,
        json.dumps(fault.value),
    )


def clear_faults(store: Store) -> None:
    store.run("DELETE FROM faults")


def due_fault(store: Store, method: str, path: str) -> Fault | None:
    """The fault that this call meets; every matching fault counts the call."""
    due = None
    for row in store.rows("SELECT * FROM faults ORDER BY id"):
        if not route_matches(row["route"], method, path):
            continue
        seen = row["seen"] + 1
        store.run("UPDATE faults SET seen = ? WHERE id = ?", seen, row["id"])
        if due is None and row["nth"] in ("all", str(seen)):
            due = Fault(row["route"], row["kind"], value=row["value"])
    return due


def route_matches(route: str, method: str, path: str) -> bool:
    wanted_method, _, wanted_path = route.partition(" ")
    if wanted_method not in ("*", method):
        return False
    parts = re.split(r"(\*\*|\*)", wanted_path)
    meaning = {"**": ".*", "*": "[^/]+"}
    pattern = "".join(meaning.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(pattern, path) is not None


def answer_instead(fault: Fault) -> Answer | None:
    """What is answered without acting at all."""
    if fault.kind == "status":
        return _refusal(int(fault.value))
    if fault.kind == "redirect":
        return Answer(302, headers={"Location": str(fault.value)})
    if fault.kind == "retry_after":
        wait = "1" if fault.value is None else str(fault.value)
        detail = f"Request was throttled. Expected available in {wait} seconds."
        return Answer(429, {"detail": detail}, headers={"Retry-After": wait})
    if fault.kind == "empty_list":
        return Answer(200, [], headers={"X-Result-Count": "0"})
    return None


def with_wrong_types(answer: Answer) -> Answer:
    """The same keys, nothing of the type that was promised."""
    data = {"unexpected": True} if answer.data is NOTHING else answer.data
    return Answer(answer.status, _swapped(data, outermost=True), headers=answer.headers)


def halved(answer: Answer) -> Answer:
    """The first half of a list, which says of itself that it is whole."""
    if not isinstance(answer.data, list):
        return answer
    rows = answer.data[: len(answer.data) // 2]
    headers = {name: value for name, value in answer.headers.items() if name != "Link"}
    if "X-Result-Count" in headers:
        headers["X-Result-Count"] = str(len(rows))
    return Answer(answer.status, rows, headers=headers)


def _refusal(status: int) -> Answer:
    if status == 404 or status >= 500:
        return Answer(status, page=PAGES.get(status, SERVER_ERROR_PAGE))
    return Answer(status, {"detail": "A fault that was asked for."})


def _swapped(value: Any, *, outermost: bool = False) -> Any:
    if isinstance(value, list) and outermost:
        return [_swapped(item, outermost=True) for item in value]
    if isinstance(value, dict) and outermost:
        return {key: _swapped(item) for key, item in value.items()}
    if isinstance(value, str):
        return 7
    return "seven" if not isinstance(value, bool) else {}
