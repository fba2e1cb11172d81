"""What the benchmarks print and write says of every row whether its bound was met."""

import json
from pathlib import Path

import pytest

from benchmarks.report import markdown, show, write
from benchmarks.rows import Row

MET = Row(name="memory", unit="MB", samples=[40.04], bound=60.0)
MISSED = Row(name="wall", unit="s", samples=[1.5, 1.4, 9.0], bound=1.3, floor=[1.0])
SLOW = Row(name="answers", unit="/s", samples=[42.0], bound=100, at_least=True, reason="one core")
UNBOUND = Row(name="CPU", unit="s", samples=[0.25])


def test_the_table_says_openly_that_a_bound_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    show([MET, MISSED, UNBOUND])

    lines = [
        line.replace("│", " ").split()
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("│")
    ]
    assert lines == [
        ["memory", "40.0", "MB", "60.0", "MB", "met"],
        ["wall", "1.500", "s", "1.3", "x", "floor", "1.000", "s", "1.500", "missed"],
        ["CPU", "0.250", "s", "no", "bound"],
    ]


def test_a_row_that_is_missed_is_said_with_its_reason_and_no_other_is() -> None:
    assert markdown([MET, SLOW, MISSED]).splitlines()[2:] == [
        "| memory | 40.0 MB | 60.0 MB | | | met |",
        "| answers | 42 /s | at least 100 /s | | | **missed** |",
        "| wall | 1.500 s | 1.3 x floor | 1.000 s | 1.500 | **missed** |",
        "",
        "* *answers* (missed): one core",
        "* *wall* (missed): not known yet",
    ]


def test_the_file_holds_every_row_with_its_samples_and_verdict(tmp_path: Path) -> None:
    file = tmp_path / "new" / "bench.json"
    write([MET, MISSED], file)

    rows = json.loads(file.read_text())["rows"]
    assert [row["verdict"] for row in rows] == ["met", "missed"]
    assert rows[1]["figure"] == 1.5
    assert rows[1]["ratio"] == 1.5
    assert rows[1]["samples"] == [1.5, 1.4, 9.0]
    assert rows[1]["floor_samples"] == [1.0]
