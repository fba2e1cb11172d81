"""What Slurm prints of any value is read back as that value, and noise is refused, not misread."""

from hypothesis import example, given
from hypothesis import strategies as st

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.jobs import UnreadableRecord
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.tres import TresName
from waldur_slurm.processes.output import LineCutter, decoded
from waldur_slurm.slurm.accounting.grammar.columns import AssociationRow, JobRow
from waldur_slurm.slurm.accounting.grammar.parsers import (
    parse_accounts,
    parse_associations,
    parse_default_accounts,
    parse_exact_limits,
    parse_jobs,
    parse_members,
    parse_passwd,
    parse_queue,
    parse_rollup,
    parse_standing,
    parse_suspensions,
)
from waldur_slurm.slurm.accounting.grammar.text import clean_text
from waldur_slurm.slurm.grammar.rows import lines_of, split_rows
from waldur_slurm.slurm.grammar.settings import parse_configuration, parse_version
from waldur_slurm.slurm.grammar.values import format_tres, parse_amount, parse_tres

MEM = TresName("mem")
NAMES = st.sampled_from(["cpu", "mem", "node", "billing", "gres/gpu", "gres/gpu:a100", "fs/disk"])
AMOUNTS = st.dictionaries(NAMES.map(TresName), st.integers(0, 2**63), min_size=1)
CELLS = st.text(st.characters(exclude_characters="|", codec="utf-8"), max_size=20).filter(
    lambda cell: not cell.startswith("\n")  # which makes a row too short, and is refused
)
NOISE = st.text(st.sampled_from("|\n\r=,:()-+ _[]ab01JID"), max_size=200) | st.text(max_size=200)


PIECES = st.lists(st.lists(st.sampled_from([b"a", b"|", b"\n", b"\xc3", b"\xa9"])).map(b"".join))


@given(PIECES)
def test_output_comes_to_the_same_lines_however_it_is_cut_into_pieces(pieces: list[bytes]) -> None:
    cutter = LineCutter("sacct")
    lines = [line for piece in pieces for line in cutter.cut(piece)]

    *wanted, last = b"".join(pieces).split(b"\n")
    assert [*lines, *cutter.rest()] == [decoded(line) for line in (*wanted, *filter(None, [last]))]


@given(AMOUNTS)
@example({TresName("cpu"): 2**32 - 1})
def test_amounts_survive_the_round_trip(amounts: dict[TresName, int]) -> None:
    assert parse_tres(format_tres(amounts)) == amounts


@given(st.integers(0, 2**40), st.sampled_from("MGTP"))
def test_memory_with_a_suffix_is_exact(number: int, suffix: str) -> None:
    scale = 1024 ** "MGTP".index(suffix)
    assert parse_amount(MEM, f"{number}{suffix}") == number * scale
    if suffix != "M":
        assert parse_amount(MEM, f"{number}.50{suffix}") == number * scale + scale // 2


@given(st.lists(st.tuples(*[CELLS] * len(AssociationRow._fields)), max_size=5))
def test_rows_survive_the_round_trip(cells: list[tuple[str, ...]]) -> None:
    rows = [AssociationRow._make(each) for each in cells]
    text = "".join("|".join(row) + "|\n" for row in rows)
    assert list(split_rows(lines_of(text), AssociationRow, open_column="account")) == rows


@given(st.lists(st.tuples(*[CELLS] * len(AssociationRow._fields)), min_size=1, max_size=3))
def test_output_cut_anywhere_inside_a_row_is_refused(cells: list[tuple[str, ...]]) -> None:
    text = "".join("|".join(each) + "|\n" for each in cells)
    cut = text.rindex("|", 0, len(text) - 2) + 1
    try:
        found = list(split_rows(lines_of(text[:cut]), AssociationRow, open_column="account"))
    except UnparsableOutput:
        return
    raise AssertionError(f"read {found} from half a row")


@given(NOISE)
def test_noise_is_read_or_refused_and_nothing_else(noise: str) -> None:
    for parse in (
        parse_accounts,
        parse_associations,
        parse_configuration,
        parse_default_accounts,
        parse_members,
        parse_standing,
        parse_passwd,
        parse_version,
        lambda text: parse_suspensions(text, ["1"], "mark"),
        lambda text: list(parse_queue(text)),
        lambda text: list(parse_jobs(lines_of(text))),
        lambda text: parse_rollup(AccountName("a"), text),
        lambda text: parse_exact_limits(text, ["1"]),
    ):
        try:
            parse(noise)
        except UnparsableOutput:
            continue


@given(st.tuples(*[CELLS] * len(JobRow._fields)))
def test_a_job_line_that_cannot_be_read_takes_no_other_with_it(cells: tuple[str, ...]) -> None:
    good = "7|COMPLETED|5|6|7|1|cpu=1|cpu=1|physics|ann|"
    text = f"{good}\n{'|'.join(cells)}|\n{good}\n"
    first, middle, last = parse_jobs(lines_of(text))
    assert first == last
    assert not isinstance(first, UnreadableRecord)
    assert isinstance(middle, UnreadableRecord) or middle.state.isupper()


@given(st.text())
def test_clean_text_is_one_line_that_needs_no_more_cleaning(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert clean == clean.lower()
    assert clean.isascii()
    assert clean.isprintable()
    assert not set("\"'#\\|") & set(clean)
    assert clean == " ".join(clean.split())
    assert len(clean) <= 240


@given(st.from_regex(r"[a-z0-9 :=(){}\[\]<>;.,+*/_-]{0,80}", fullmatch=True))
def test_text_of_safe_signs_is_only_trimmed(text: str) -> None:
    assert clean_text(text) == " ".join(text.split())
