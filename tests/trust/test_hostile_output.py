"""Whatever Slurm's commands print is read as what it is, or refused; nothing else comes out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.trust.hostile import ANY_TEXT, fuzzed, refusal_of
from tests.trust.size import count
from tests.unit.slurm.live.grammar.test_records import PRINTED
from tests.unit.slurm.live.queue import PLAIN, printed
from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.grammar import columns, parsers
from waldur_slurm.slurm.grammar import settings, values
from waldur_slurm.slurm.grammar.marks import mark_of
from waldur_slurm.slurm.grammar.rows import lines_of
from waldur_slurm.slurm.grammar.states import parse_job_state
from waldur_slurm.slurm.live.grammar import things
from waldur_slurm.slurm.live.grammar import values as live
from waldur_slurm.slurm.live.grammar.columns import QosRow, QueueRow
from waldur_slurm.slurm.live.grammar.details import parse_claims
from waldur_slurm.slurm.live.grammar.jobs import parse_jobs
from waldur_slurm.slurm.live.grammar.statistics import parse_statistics

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
    (columns.MemberRow, parsers.parse_members),
    (columns.StandingRow, parsers.parse_standing),
    (columns.PlaceRow, parsers.parse_places),
    (columns.UserRow, parsers.parse_default_accounts),
    (columns.TresRow, parsers.parse_all_tres),
    (columns.JobRow, lambda text: list(parsers.parse_jobs(lines_of(text)))),
    (columns.QueueRow, lambda text: list(parsers.parse_queue(text))),
    (columns.RollupRow, lambda text: parsers.parse_rollup(AccountName("physics"), text)),
    (QosRow, things.parse_qos),
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
    live.parse_time,
    live.parse_known_time,
    live.parse_duration,
    live.parse_exit,
    live.parse_bound,
    live.parse_signed,
    live.parse_decimal,
    live.parse_yes,
    live.parse_shared_tres,
    parse_job_state,
    things.parse_node_state,
    things.parse_controllers,
    things.parse_nodes,
    things.parse_partitions,
    things.parse_reservations,
    things.parse_licenses,
    parse_statistics,
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


MARK = mark_of("bWFyayBtYXJr")


@given(data=st.data())
@fuzzed(100, 20_000)
def test_a_queue_with_anything_in_its_cells_is_as_many_jobs_as_rows(data: st.DataObject) -> None:
    cells = st.tuples(*[st.just(each) | CELL | DIGITS for each in PLAIN])
    rows = data.draw(st.lists(cells, max_size=4))
    listing = parse_jobs(printed(MARK, *map(QueueRow._make, rows)), MARK)

    count("hostile text: read from Slurm")
    assert listing is not None
    assert len(listing.jobs) + len(listing.unreadable) == len(rows)
    told = [job.cells for job in listing.unreadable]
    assert all(len(each.reason) < 500 for each in listing.unreadable)
    assert [row for row in rows if row in told] == told


FORGED_RECORDS = st.lists(
    st.sampled_from(
        (
            *(
                "\n",
                "JobId=7 JobName=",
                " UserId=ann(1000) GroupId=",
                " SubmitTime=5 EligibleTime=",
            ),
            *(" JOB_GRES=x Nodes=n1 CPU_IDs=0-7 Mem=9 GRES= MinCPUsNode=", "JobId=8 JobName=x"),
            *(" Reboot=1 MinMemoryNode=9G StdIn=", PRINTED),
        )
    )
    | CELL
).map("".join)
RECORD = (
    "JobId={} JobName={} UserId=ann(1000) GroupId=g SubmitTime=5 EligibleTime=5 "
    "JOB_GRES=(null)  Nodes=n1 CPU_IDs=0 Mem=1 GRES= MinCPUsNode=1 "
    + PRINTED.replace("MinCPUsNode=1 ", "").replace("Command=(null)", "Command={}")
)


@given(name=FORGED_RECORDS, command=FORGED_RECORDS)
@fuzzed(200, 20_000)
def test_what_a_job_is_called_is_not_what_another_one_has(name: str, command: str) -> None:
    wanted = frozenset({7, 8})
    text = f"{RECORD.format(9, name, command)}\n{RECORD.format(8, 'x', 'y')}\n"
    (own,) = parse_claims(RECORD.format(8, "x", "y").split("\n"), wanted)[8]
    claims = parse_claims(lines_of(text), wanted)

    assert own.shares
    assert own.record
    assert own in claims[8]
    assert len(claims[8]) > 1 or claims[8] == (own,)


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
