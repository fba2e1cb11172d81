"""What can be typed after slurm-controller, the original's way and with two dashes."""

import re
from pathlib import Path

import pytest

from waldur_slurm.gateway.controller.arguments import build, parse


def test_without_a_word_it_serves_this_machine_at_the_originals_port() -> None:
    asked = parse([])

    assert (asked.host, asked.port, asked.roots, asked.token) == ("127.0.0.1", 8080, (), "")


@pytest.mark.parametrize(
    "words", [["-port", "8090"], ["-port=8090"], ["--port", "8090"], ["--port=8090"]]
)
def test_the_port_is_said_in_each_way_that_the_original_took(words: list[str]) -> None:
    assert parse(words).port == 8090


def test_help_tells_each_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["-h"])

    assert ended.value.code == 0
    told = capsys.readouterr().out
    for word in ("-port", "-host", "-root", "-state", "-certificate", "-key", "-api", "-token"):
        assert re.search(rf"^  {word}[ ,]", told, re.MULTILINE)


def test_every_example_of_the_help_is_accepted() -> None:
    lines = [line.split()[1:] for line in (build().epilog or "").splitlines() if "  slurm-" in line]

    assert [parse(line).port for line in lines] == [8080, 8090, 8080, 8080]


@pytest.mark.parametrize(
    "words",
    [
        ["-port", "0"],
        ["-port", "65536"],
        ["-port", "http"],
        ["-host", "login1"],
        ["-root", "results"],
        ["-root", "/"],
        ["-root", "//"],
        ["-token", "a\nb"],
        ["-key", "k.pem"],
        ["serve"],
    ],
)
def test_wrong_usage_exits_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)

    assert ended.value.code == 2


@pytest.mark.parametrize("host", ["10.0.0.5", "0.0.0.0", "::", "2001:db8::5"])  # noqa: S104 - refused
def test_other_machines_are_served_by_tls_alone(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["-host", host])

    assert "is not loopback: it takes -certificate, and a token" in capsys.readouterr().err
    assert parse(["-host", host, "-certificate", "/t.pem"]).certificate == Path("/t.pem")
