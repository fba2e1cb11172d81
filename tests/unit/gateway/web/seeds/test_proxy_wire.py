"""slurm-proxy's wire, letter for letter where it was recorded."""

import json
from datetime import UTC, datetime

import pytest

from tests.places import RECORDED
from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.web.seeds.proxy_wire import extended, parse, shown, told, written
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

LINES = (RECORDED / "gateway" / "proxy.jsonl").read_text(encoding="utf-8").splitlines()
EXCHANGES = {
    line["case"]: line["response"]["body"]
    for line in map(json.loads, LINES)
    if "response" in line and "body" in line["response"]
}
MADE = datetime(2026, 11, 30, 1, 23, 32, tzinfo=UTC)


def monitor(recorded: str, **changed: object) -> Monitor:
    """The recorded monitor; times are kept to the second here."""
    record = json.loads(EXCHANGES[recorded])
    record = record.get("monitor", record)
    return Monitor(
        id="m1",
        owner="network:10.0.0.0/8",
        cluster="lab",
        user=UserName(record["slurm_username"]),
        made=MADE,
        job=JobId(record["slurm_job_id"]),
        state=record["slurm_job_state"],
        uuid=record["task"]["uuid"],
        task=record["task"],
        **changed,  # type: ignore[arg-type]  # a typo fails at once
    )


def recorded_as(text: str, made: str, oid: str) -> str:
    record = json.loads(text)
    inner = record.get("monitor", record)
    inner["created_at"] = {"$date": f"{made}Z"} if isinstance(inner["_id"], dict) else made
    inner["_id"] = {"$oid": oid} if isinstance(inner["_id"], dict) else oid
    return json.dumps(record, indent=4) + "\n"


def test_a_record_that_is_looked_at_is_written_as_it_was_recorded() -> None:
    case = "monitor by uuid, running"
    one = shown(monitor(case))
    slurm = json.loads(EXCHANGES[case])["slurm"]

    expected = recorded_as(EXCHANGES[case], "2026-11-30T01:23:32", one["_id"])
    assert written({"slurm": slurm, "monitor": one}).decode() == expected


def test_a_record_that_is_deleted_is_written_in_extended_json_as_it_was_recorded() -> None:
    case = "delete, running job of alice"
    one = extended(monitor(case))

    expected = recorded_as(EXCHANGES[case], "2026-11-30T01:23:32", one["_id"]["$oid"])
    assert written(one).decode() == expected


def test_an_update_has_its_time_in_both_spellings() -> None:
    one = monitor("monitor by uuid, running", updated=MADE)

    assert shown(one)["updated_at"] == "2026-11-30T01:23:32"
    assert extended(one)["updated_at"] == {"$date": "2026-11-30T01:23:32Z"}


def test_an_id_begins_with_the_second_in_which_it_was_made_as_mongodbs_do() -> None:
    oid = shown(monitor("monitor by uuid, running"))["_id"]

    assert len(oid) == 24
    assert int(oid[:8], 16) == int(MADE.timestamp())


@pytest.mark.parametrize(
    "case", ["monitor by id, unknown", "monitor by uuid, unknown", "by state BOGUS"]
)
def test_errors_of_flask_itself_are_on_one_line(case: str) -> None:
    words = json.loads(EXCHANGES[case])["error"]

    assert told(words).decode() == EXCHANGES[case]


def test_other_errors_have_four_blanks() -> None:
    words = "Job not found in monitor database"

    assert written({"error": words}).decode() == EXCHANGES["delete, not monitored"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            b'{"task": {\n "cmd": "x",\n}}',
            r"line 3, column 1: a comma stands before }; take it out",
        ),
        (b'{"params": ["a", ]}', r"line 1, column 18: a comma stands before \]; take it out"),
        (b"{", "line 1, column 2: expecting property name"),
        (b"", "line 1, column 1: nothing was sent"),
        (b"x", "line 1, column 1: expecting value"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"\xff\xfe", "no UTF-8, from byte 0 on"),
        (b"[" * 100_000, "too deep"),
        (b'{"a": 1} x', "line 1, column 10: extra data"),
    ],
)
def test_what_is_no_json_is_refused_with_where_it_stops_being_some(body: bytes, says: str) -> None:
    with pytest.raises(WrongAsk, match=says):
        parse(body)


def test_a_mark_that_some_editors_put_before_everything_is_no_mistake() -> None:
    assert parse(b'\xef\xbb\xbf{"task": {}}') == {"task": {}}
