"""Every form in which Slurm prints a value is read exactly; any other is refused."""

from datetime import UTC, datetime

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.grammar.values import (
    format_tres,
    is_rounded,
    parse_amount,
    parse_count,
    parse_integer,
    parse_known_moment,
    parse_moment,
    parse_state,
    parse_tres,
)

CPU, MEM, GPU = TresName("cpu"), TresName("mem"), TresName("gres/gpu:a100")


def test_a_tres_list_is_read_whole() -> None:
    text = "billing=8,cpu=4,gres/gpu:a100=2,license/x=1,fs/disk=7,bb/cray=2G,mem=2000M,energy=5"
    assert parse_tres(text) == {
        "billing": 8,
        "cpu": 4,
        "gres/gpu:a100": 2,
        "license/x": 1,
        "fs/disk": 7,
        "bb/cray": 2048,
        "mem": 2000,
        "energy": 5,
    }


@pytest.mark.parametrize("text", ["N", "none", "UNLIMITED", "INFINITE", "-1"])
def test_no_limit_is_no_entry(text: str) -> None:
    assert parse_tres(text) == parse_tres("") == {}
    assert parse_tres(f"cpu=1,mem={text}") == {CPU: 1}


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [
        ("0", 0),
        ("1", 1),
        ("1000M", 1000),
        ("2048K", 2),
        ("1G", 1024),
        ("1.50G", 1536),
        ("1.5T", 1572864),
        ("2P", 2 * 1024**3),
        ("1E", 1024**4),
    ],
)
def test_memory_is_read_in_mebibytes(text: str, mebibytes: int) -> None:
    assert parse_amount(MEM, text) == mebibytes


@pytest.mark.parametrize(
    ("tres", "text"),
    [
        (MEM, "1K"),
        (MEM, "1.3M"),
        (MEM, "1?"),
        (MEM, "1.5"),
        (MEM, "G"),
        (MEM, "1g"),
        (MEM, "-5"),
        (MEM, "\u0661"),
        (CPU, "1.5"),
        (CPU, "1K"),
        (CPU, "abc"),
        (CPU, ""),
        (CPU, " 1"),
    ],
)
def test_what_is_no_exact_amount_is_refused(tres: TresName, text: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_amount(tres, text)


@pytest.mark.parametrize(
    "text", ["cpu", "=1", "cpu=1,", ",", "cpu=1,cpu=2", "cpu=1;mem=2", "cpu=N,cpu=5"]
)
def test_what_is_no_tres_list_is_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_tres(text)


@pytest.mark.parametrize("text", ["cpu=", "cpu=1,mem=", "cpu=,mem=1"])
def test_a_tres_without_an_amount_is_refused_and_not_unlimited(text: str) -> None:
    with pytest.raises(UnparsableOutput, match="not an amount"):
        parse_tres(text)


@pytest.mark.parametrize("text", ["cpu", "=1", "cpu=1,mem"])
def test_a_tres_list_without_a_name_or_a_sign_is_quoted(text: str) -> None:
    with pytest.raises(UnparsableOutput, match="not a TRES with its amount"):
        parse_tres(text)


def test_rounded_amounts_are_recognised() -> None:
    assert is_rounded("cpu=4,mem=1.50T")
    assert is_rounded("mem=1?")
    assert not is_rounded("cpu=4,mem=1537G")


def test_amounts_are_written_in_one_order() -> None:
    assert format_tres({MEM: 5, CPU: 0, GPU: 2}) == "cpu=0,gres/gpu:a100=2,mem=5"


@pytest.mark.parametrize(("text", "count"), [("", None), ("-1", None), ("0", 0), ("20", 20)])
def test_a_number_of_jobs_may_be_unlimited(text: str, count: int | None) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["-2", "1.0", "x", "²", "0x1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_integer(text)


def test_a_time_is_seconds_since_the_epoch() -> None:
    assert parse_moment("1795243142") == datetime(2026, 11, 21, 6, 39, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["Unknown", "None", "N/A", "0", ""])
def test_a_time_that_is_not_known_is_none(text: str) -> None:
    assert parse_moment(text) is None
    with pytest.raises(UnparsableOutput):
        parse_known_moment(text)


@pytest.mark.parametrize("text", ["2026-11-21T06:39:02", "1" * 14, "7" + "0" * 16, "9" * 99])
def test_a_time_in_another_form_or_of_no_age_is_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_moment(text)


def test_a_state_is_read_without_who_caused_it() -> None:
    assert parse_state("CANCELLED by 1000") == "CANCELLED"
    assert parse_state("OUT_OF_MEMORY") == "OUT_OF_MEMORY"


@pytest.mark.parametrize("text", ["", "by 1000", "running", "RUNNING|"])
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_state(text)


@pytest.mark.parametrize("text", ["cpu=1G", "cpu=1.5", "gres/gpu=2K", "cpu=4,gres/gpu=1M"])
def test_what_is_counted_in_pieces_has_no_unit_of_memory(text: str) -> None:
    with pytest.raises(UnparsableOutput, match="counted in pieces"):
        parse_tres(text)
