"""Whatever Slurm's commands print is read as what it is, or refused; nothing else comes out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.trust.hostile import ANY_TEXT, fuzzed, refusal_of
from tests.trust.size import count
from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.grammar import columns, parsers
from waldur_slurm.slurm.grammar import settings, values
from waldur_slurm.slurm.grammar.rows import lines_of

USUAL = (
    "7",
    "1793274000",
    "Unknown",
    "RUNNING",
    "CANCELLED by 1000",
    "cpu=4,mem=2000M,gres/gpu:a100=2",
    "mem=1.50T",
    "4_[2-9%3]",
    "physics",
    "normal,long",
)
CELL = st.sampled_from(USUAL) | ANY_TEXT
DIGITS = st.text("0123456789", min_size=1, max_size=40) | st.just("9" * 5000)

Parse = Callable[[str], object]
LISTINGS: Sequence[tuple[type[NamedTuple], Parse]] = (
    (columns.AccountRow, parsers.parse_accounts),
    (columns.AssociationRow, parsers.parse_associations),
    (columns.PlaceRow, parsers.parse_places),
    (columns.UserRow, parsers.parse_default_accounts),
    (columns.TresRow, parsers.parse_all_tres),
    (columns.JobRow, lambda text: list(parsers.parse_jobs(lines_of(text)))),
    (columns.QueueRow, lambda text: list(parsers.parse_queue(text))),
    (columns.RollupRow, lambda text: parsers.parse_rollup(AccountName("physics"), text)),
)
VALUES: Sequence[Parse] = (
    values.parse_count,
    values.parse_integer,
    values.parse_tres,
    lambda text: values.parse_amount(TresName("mem"), text),
    lambda text: values.parse_amount(TresName("cpu"), text),
    values.parse_moment,
    values.parse_known_moment,
    values.parse_state,
    settings.parse_version,
    settings.parse_configuration,
    parsers.parse_passwd,
)


def read_or_refuse(parse: Parse, text: str) -> None:
    count("hostile text: read from Slurm")
    refused = refusal_of(UnparsableOutput, lambda: parse(text))
    assert len(refused) < 500, "a refusal floods the log"


@pytest.mark.parametrize(("row", "parse"), LISTINGS, ids=lambda each: getattr(each, "__name__", ""))
@given(data=st.data())
@fuzzed(40, 20_000)
def test_a_listing_with_anything_in_its_cells(
    row: type[NamedTuple], parse: Parse, data: st.DataObject
) -> None:
    cells = st.tuples(*[CELL | DIGITS] * len(row._fields))
    rows = data.draw(st.lists(cells, min_size=1, max_size=4))
    text = "".join("|".join(each) + "|\n" for each in rows)
    read_or_refuse(parse, text)
    read_or_refuse(parse, text[: data.draw(st.integers(0, len(text)))])


@pytest.mark.parametrize("parse", VALUES, ids=range(len(VALUES)))
@given(text=CELL | DIGITS | st.text("0123456789.,=KMGT/:N()[]-", max_size=60))
@fuzzed(40, 20_000)
def test_a_single_value_that_is_anything(parse: Parse, text: str) -> None:
    read_or_refuse(parse, text)
    read_or_refuse(parse, f"mem={text}")
    read_or_refuse(parse, f"ClusterName = {text}")


SUSPENDED = (
    "   JobState=SUSPENDED Reason=None\n   SubmitTime=5 EligibleTime=5\n   SuspendTime={} X\n"
)
FORGERIES = st.lists(
    st.sampled_from(
        (
            *("\n", "JobId=8 JobName=x\n", "   JobState=SUSPENDED Reason=None\n"),
            *("   SubmitTime=5 EligibleTime=5\n", "   SuspendTime=1 X\n", SUSPENDED.format(1)),
            *("scontrol: show job 8\n", "scontrol: show hostnames mark\n", "mark-\n"),
        )
    )
    | CELL
).map("".join)


@given(name=FORGERIES, comment=FORGERIES, at=CELL | DIGITS)
@example(name="x\n   SuspendTime=1 X", comment="", at="1")
@example(name=f"x\n{SUSPENDED.format(1)}\nJobId=9 JobName=", comment="", at="1")
@fuzzed(100, 20_000)
def test_what_a_job_is_called_is_not_when_it_was_suspended(
    name: str, comment: str, at: str
) -> None:
    def parse(text: str) -> Mapping[Run, datetime]:
        return parsers.parse_suspensions(text, ["7", "8"], "mark")

    def told(seven: str, eight: str) -> str:
        return f"JobId=7 JobName={seven}\nmark\nJobId=8 JobName=x\n{eight}\nmark\n"

    five, twenty = (datetime.fromtimestamp(seconds, UTC) for seconds in (5, 20))
    seven = f"{name}\n{SUSPENDED.format(20)}   Comment={comment} \n"
    found = dict(parse(told(seven, SUSPENDED.format(20))))
    assert found.pop(Run("7", five), twenty) == twenty
    assert found == {Run("8", five): twenty}

    read_or_refuse(parse, told(f"x\n{SUSPENDED.format(at)}", SUSPENDED.format(at)))


@given(account=CELL, limit=CELL | DIGITS)
@fuzzed(100, 20_000)
def test_limits_as_slurmctld_prints_them(account: str, limit: str) -> None:
    line = f"ClusterName=lab Account={account} ID=7 Priority=0 GrpTRESMins=cpu={limit}(3),mem=N(0) "

    def parse(text: str) -> object:
        return parsers.parse_exact_limits(text, ["7"])

    read_or_refuse(parse, line)
