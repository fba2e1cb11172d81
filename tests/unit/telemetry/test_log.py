"""One record is one line, and no line holds a secret."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.telemetry.events import Event, Level
from waldur_slurm.telemetry.lines import as_json, as_text
from waldur_slurm.telemetry.log import log_event, start_log
from waldur_slurm.telemetry.redaction import redaction

TOKEN = "9e1132b9616ebfe943ddf632ca32bbb7e1109a32"
ADDED = Event(name="account.added", fields={"account": "hpc_1", "reason": "order 17 \n of Ann"})


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("waldur_slurm")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)


def logged(*events: Event, level: Level = Level.INFO, is_json: bool = False) -> str:
    stream = io.StringIO()
    sink = start_log(stream, level, redaction([TOKEN]), is_json=is_json)
    for event in events:
        sink(event)
    return stream.getvalue()


def test_text_says_when_how_grave_and_what() -> None:
    at, rest = logged(ADDED).split(" ", 1)

    assert datetime.fromisoformat(at).utcoffset() == timedelta(0)
    assert rest == 'INFO    account.added account=hpc_1 reason="order 17 \\n of Ann"\n'


def test_json_holds_the_fields_beside_time_level_and_event() -> None:
    record = json.loads(logged(ADDED, is_json=True))

    assert record.pop("at").endswith("Z")
    assert record == {
        "level": "info",
        "event": "account.added",
        "account": "hpc_1",
        "reason": "order 17 \n of Ann",
    }


def test_a_field_cannot_pass_for_the_level() -> None:
    record = json.loads(logged(Event(name="x", fields={"level": "debug"}), is_json=True))

    assert record["level"] == "info"


def test_what_lies_below_the_level_is_not_written() -> None:
    quiet = Event(name="command.run", level=Level.DEBUG)

    assert logged(quiet) == ""
    assert "command.run" in logged(quiet, level=Level.DEBUG)


def test_the_journal_learns_the_priority_of_each_line() -> None:
    stream = io.StringIO()
    sink = start_log(stream, Level.DEBUG, redaction([]), is_journal=True)

    for level in Level:
        sink(Event(name="x", level=level))

    assert [line[:3] for line in stream.getvalue().splitlines()] == ["<7>", "<6>", "<4>", "<3>"]


def test_libraries_speak_from_warning_on_and_on_one_line() -> None:
    stream = io.StringIO()
    start_log(stream, Level.DEBUG, redaction([]))

    logging.getLogger("urllib3").info("hidden")
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("urllib3").exception("retry")

    (line,) = stream.getvalue().splitlines()
    assert "ERROR   log logger=urllib3 message=retry traceback=" in line
    assert "two\\\\nlines" in line


@pytest.mark.parametrize("is_json", [True, False])
@given(key=st.text(min_size=1), value=st.text())
def test_one_record_is_one_printable_line_whatever_it_holds(
    is_json: bool, key: str, value: str
) -> None:
    line = (as_json if is_json else as_text)({key: value})

    assert line.splitlines() == [line]
    assert line.isprintable()


@given(st.dictionaries(st.text(), st.text(max_size=50)))
def test_json_gives_back_what_went_in(fields: dict[str, str]) -> None:
    assert json.loads(as_json(fields)) == fields


def test_endless_text_is_cut_and_says_so() -> None:
    assert as_text({"said": "x" * 100_000}).endswith('... (100000 in all)"')


def test_values_of_ours_are_written_plainly() -> None:
    fields = {
        "at": datetime(2026, 11, 1, tzinfo=UTC),
        "took": timedelta(seconds=1.5),
        "usage": Decimal("1.50"),
        "users": frozenset({"bob", "ann"}),
        "path": Path("/etc/tres.yaml"),
        "limits": {"cpu": 60},
        "none": None,
    }

    assert as_text(fields) == (
        "at=2026-11-01T00:00:00+00:00 took=1.5 usage=1.50 users=ann,bob path=/etc/tres.yaml"
        ' limits={"cpu":60} none=null'
    )


@pytest.mark.parametrize("is_json", [True, False])
def test_no_secret_is_written_in_any_spelling(is_json: bool) -> None:
    hard = 'p"a\\s%s w0rd'
    stream = io.StringIO()
    start_log(stream, Level.INFO, redaction([TOKEN, hard]), is_json=is_json)

    log_event(
        Event(
            name="request.failed",
            fields={
                "said": f"Authorization: token {TOKEN}",
                "url": "https://me:hunter2@db.example/?q=p%22a%5Cs%25s%20w0rd",
                "nested": [{"deep": hard}],
                "other": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.signature",
            },
        )
    )

    line = stream.getvalue()
    for secret in (TOKEN, "hunter2", "w0rd", "eyJhbGci"):
        assert secret not in line
    assert "db.example" in line


def test_text_without_secrets_stays_as_it_is() -> None:
    text = "token of the provider at https://waldur.example/api/ is refused: 401"

    assert redaction([TOKEN, ""])(text) == text
