"""What goes to standard output is whole, and never a secret or a terminal's command."""

import io
import json
from decimal import Decimal

import pytest

from waldur_slurm.agent.daemon.show import Display, announcer, months_shown
from waldur_slurm.telemetry.redaction import redaction


def shown(*rows: tuple[str, ...]) -> str:
    stream = io.StringIO()
    Display(stream, redaction(["s3cret-token"])).table(("name", "value"), rows)
    return stream.getvalue()


def test_rows_stand_under_their_columns() -> None:
    lines = [line.rstrip() for line in shown(("cpu", "1"), ("gres/gpu", "20")).splitlines()]

    assert lines == ["name      value", "cpu       1", "gres/gpu  20"]


def test_a_cell_is_neither_markup_nor_a_terminals_command() -> None:
    text = shown(("[bold]x[/bold]", "\x1b[31mred\u202e"))

    assert "[bold]x[/bold]" in text
    assert "\\u001b[31mred\\u202e" in text


def test_no_secret_is_shown_in_any_form() -> None:
    stream = io.StringIO()
    display = Display(stream, redaction(["s3cret-token"]))

    display.table(("a", "b"), [("x", "Token s3cret-token")])
    display.json({"a": "s3cret-token"})
    display.line("s3cret-token")
    display.text("one s3cret-token\ntwo")

    assert "s3cret-token" not in stream.getvalue()
    assert stream.getvalue().count("<secret>") == 4


def test_json_holds_long_texts_whole() -> None:
    stream = io.StringIO()
    Display(stream, redaction([])).json({"text": "x" * 10_000, "amount": Decimal("1.50")})

    assert json.loads(stream.getvalue()) == {"text": "x" * 10_000, "amount": "1.50"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "said"), [(Terminal(), "Asking Waldur ...\n"), (io.StringIO(), "")]
)
def test_only_a_terminal_is_told_whom_one_waits_for(stream: io.StringIO, said: str) -> None:
    announcer(stream)("Waldur")

    assert stream.getvalue() == said


def test_without_a_terminal_no_bar_is_drawn() -> None:
    stream = io.StringIO()
    with months_shown(stream) as show:
        show("2026-11", 0, 1)

    assert stream.getvalue() == ""
