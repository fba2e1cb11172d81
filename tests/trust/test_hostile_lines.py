"""Whatever a name or an error says, it is told on the line that it belongs to, as words."""

import csv
import io
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.pull import new_site
from tests.trust.hostile import TEXTS
from tests.trust.size import count
from waldur_slurm.agent.daemon.health import Health
from waldur_slurm.agent.pull.render import to_text as pull_to_text
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.push.plan.findings import RefusalKind as PushRefusalKind
from waldur_slurm.agent.push.plan.plan import Plan as PushPlan
from waldur_slurm.agent.push.render import to_text as push_to_text
from waldur_slurm.service.display import Display
from waldur_slurm.service.notify import Notifier
from waldur_slurm.telemetry.audit import AuditLog
from waldur_slurm.telemetry.events import Event, Level
from waldur_slurm.telemetry.lines import LONGEST_TEXT, as_json, as_text
from waldur_slurm.telemetry.redaction import redaction
from waldur_slurm.telemetry.sentry import Sentry

SURROGATE = "no utf-8: \udcff\udcfe"
FORGED = "x\n   1. approve order"
WORDS = (*TEXTS, SURROGATE, FORGED)
TOKEN = "0123456789abcdef0123456789abcdef01234567"


def shown(text: str) -> list[str]:
    stream = io.StringIO()
    Display(stream, redaction([TOKEN])).text(text)
    return stream.getvalue().removesuffix("\n").split("\n")


@pytest.mark.parametrize("text", WORDS, ids=range(len(WORDS)))
def test_a_plan_has_one_line_for_each_thing(text: str) -> None:
    count("hostile text: shown")
    guarded = new_site().plan()
    findings = (
        Drift(DriftKind.BACKEND_ID, text, text, text),
        Refusal(RefusalKind.NOT_OURS, text, text),
    )
    pulled = replace(guarded.plan, drifts=findings[:1], refusals=findings[1:])
    pushed = PushPlan((), refusals=(Refusal(PushRefusalKind.BRAKE, text, text),))

    for lines, expected in (
        (shown(pull_to_text(replace(guarded, plan=pulled))), 5),
        (shown(push_to_text(pushed)), 2),
    ):
        assert len(lines) == expected, lines
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("text", WORDS, ids=range(len(WORDS)))
def test_csv_has_one_row_for_each_thing(text: str) -> None:
    stream = io.StringIO()
    Display(stream, redaction([TOKEN])).csv(("user", "note"), [(text, None), (TOKEN, 1)])

    said = stream.getvalue()
    rows = list(csv.reader(io.StringIO(said)))
    assert [len(row) for row in rows] == [2, 2, 2]
    assert all(line.isprintable() for line in said.split("\r\n"))
    assert TOKEN not in said


@pytest.mark.parametrize("text", WORDS, ids=range(len(WORDS)))
def test_the_status_for_systemd_is_one_short_clean_line(text: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        notifier = Notifier(manager.getsockname(), redact=redaction([TOKEN]))
        notifier.status(f"{TOKEN} {text}")
        message = manager.recv(65_536).decode()

    assert message.startswith("STATUS=<secret>")
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize("text", WORDS, ids=range(len(WORDS)))
def test_the_page_of_readiness_is_one_short_clean_line(text: str) -> None:
    health = Health(timedelta(minutes=1), lambda: timedelta(0), redaction([TOKEN]))
    health(Event(name="cycle.failed", fields={"error": f"{TOKEN} {text}"}))

    words = health.work().words
    assert words.encode()
    assert words.isprintable()
    assert TOKEN not in words


@pytest.mark.parametrize("write", [as_json, as_text])
@pytest.mark.parametrize("text", WORDS, ids=range(len(WORDS)))
def test_a_record_is_one_clean_line(write: Callable[..., str], text: str) -> None:
    line = write({"said": text, "nested": [{"deep": text}]}, redaction([TOKEN]))
    assert line.isprintable()
    assert line.encode()


@pytest.mark.parametrize("place", [0, 1, 20, 39])
def test_a_text_that_is_cut_in_the_middle_of_a_secret_ends_before_it(
    place: int, tmp_path: Path
) -> None:
    """Not even the first letters of a secret are left where the rest of it was cut off."""
    text = "x" * (LONGEST_TEXT - place) + TOKEN
    redact = redaction([TOKEN])
    audit = AuditLog(tmp_path / "audit", lambda: datetime.now(UTC), redact)
    audit(Event(name="x", fields={"said": text}, is_change=True))

    written = (tmp_path / "audit").read_text()
    for line in (as_json({"a": text}, redact), as_text({"a": text}, redact), written):
        assert "x01" not in line
        assert "x<" in line or "in all" in line


def test_sentry_is_given_no_part_of_a_secret_either() -> None:
    given: list[str] = []

    class Library:
        def capture_event(self, event: object) -> None:
            given.append(str(event))

    sentry = Sentry("", "test", "1.0.0", redaction([TOKEN]))
    sentry._sdk = Library()  # type: ignore[assignment]  # in the library's place, before it cuts
    sentry(Event(name="x", level=Level.ERROR, fields={"said": "x" * 1_000_000 + TOKEN}))

    (event,) = given
    assert "x<secret>" in event
    assert TOKEN[:8] not in event
