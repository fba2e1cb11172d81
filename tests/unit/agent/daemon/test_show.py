"""Only a terminal is shown what is waited for, and how far the work has come."""

import io

import pytest

from waldur_slurm.agent.daemon.show import announcer, months_shown


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
