"""What the second original said about the past, asked again: the same jobs with the same words."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.gateway.web.seeds.differences import differences
from tests.unit.gateway.web.seeds.recorded import Exchange, recorded
from tests.unit.gateway.web.seeds.replaying import CASES, DATA, ask


def _place(item: dict[str, Any]) -> tuple[datetime, int]:
    submitted = datetime.strptime(item["time_submit"], "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    return submitted, item["id_job"]


ALL = sorted(recorded("history, limit 100"), key=_place, reverse=True)
JOBS = [each for each in DATA if each.path.startswith("/history")]


def _numbered(holds: Callable[[int], bool]) -> Callable[[dict[str, Any]], bool]:
    return lambda item: holds(item["id_job"])


SAYS = {
    "<=": _numbered(lambda number: number <= 42),
    ">=": _numbered(lambda number: number >= 42),
    "<": _numbered(lambda number: number < 42),
    ">": _numbered(lambda number: number > 42),
}
"""What the comparators of the original's document mean; its code took them for nothing."""


@pytest.mark.parametrize("sign", SAYS)
@pytest.mark.parametrize("written", ["raw", "encoded"])
def test_a_comparator_means_what_the_document_says(sign: str, written: str) -> None:
    found = ask(CASES[f"history, jobid{sign} {written}"]).json["data"]
    assert [each["id_job"] for each in found] == [
        each["id_job"] for each in ALL if SAYS[sign](each)
    ]


def test_state_0_means_those_that_wait() -> None:
    found = ask(CASES["history, state 0"]).json["data"]
    waiting = [each["id_job"] for each in ALL if each["state"] == "JOB_PENDING"]
    assert [each["id_job"] for each in found] == waiting != []


def test_a_job_out_of_memory_is_called_so() -> None:
    (found,) = ask(CASES["history, a job that ran out of memory"]).json["data"]
    assert found["state"] == "JOB_OOM"


def test_a_requeued_job_has_the_state_of_its_last_run_alone() -> None:
    found = ask(CASES["history, state 7"]).json["data"]
    assert [each["id_job"] for each in found] == [29]


def test_a_page_is_as_long_as_it_was_asked_to_be() -> None:
    assert len(ask(CASES["history"]).json["data"]) == 10
    assert len(CASES["history"].json["data"]) == 9


def test_memory_is_what_a_node_gives_however_it_was_asked_for() -> None:
    (found,) = ask(CASES["history, jobid"]).json["data"]
    (theirs,) = CASES["history, jobid"].json["data"]
    assert (found["mem_req"], theirs["mem_req"]) == (100, 2**63 + 100)


CUT = {
    "history",
    "history, user",
    "history, partition",
    "history, jobid<=987654 (README, raw)",
}
"""Pages that end within a second: which of its jobs are on the page is the database's whim."""


def _above_the_cut(items: dict[int, dict[str, Any]]) -> set[int]:
    cut = min(_place(item)[0] for item in items.values())
    return {number for number, item in items.items() if _place(item)[0] > cut}


TOLD_ABOVE = {"history, state 0", "history, state 7"}
PLAIN = [
    each
    for each in JOBS
    if each.case not in TOLD_ABOVE and not any(f"jobid{sign} " in each.case for sign in SAYS)
]


@pytest.mark.parametrize("exchange", PLAIN, ids=lambda exchange: exchange.case)
def test_history_has_the_same_jobs_with_the_same_words(exchange: Exchange) -> None:
    theirs = {each["id_job"]: each for each in exchange.json["data"]}
    found = ask(exchange).json["data"]
    ours = {each["id_job"]: each for each in found}
    assert [*ours] == [each["id_job"] for each in ALL if each["id_job"] in ours]
    if exchange.case in CUT:
        assert _above_the_cut(theirs) <= ours.keys()
        assert _above_the_cut(ours) <= theirs.keys()
    elif "offset=25" in exchange.path:
        assert [*ours] == [each["id_job"] for each in ALL[25:50]]
    else:
        assert theirs.keys() == ours.keys()
    for number in theirs.keys() & ours.keys():
        assert [*theirs[number]] == [*ours[number]]
        found_there = {each.path for each in differences(theirs[number], ours[number])}
        assert found_there <= {".mem_req", *_words_of(theirs[number])}


def _words_of(item: dict[str, Any]) -> set[str]:
    """What two of the recorded items say otherwise here: a limit that was not set, and OOM."""
    is_unset = item["timelimit"] == "2982616d:4h:14m"
    is_oom = (item["id_job"], item["state"]) == (16, "JOB_DEADLINE")
    said = {".timelimit": is_unset, ".state": is_oom}
    return {path for path, is_so in said.items() if is_so}
