"""Many additions are one file to load; few are lines, and all where Slurm refuses the file."""

from tests.fakes.transport import ScriptedTransport
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.bulk import Additions, BulkWriter
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.tools import Tools

WELL = Completed(0, "fine", "")
FORBIDDEN = Completed(1, "", " Your user does not have sufficient privileges to load files.\n")
ADDITIONS = Additions(file="Cluster - 'lab'\n", lines=[f"line {n}\n" for n in range(60)])


def test_whoever_may_not_load_says_the_same_in_lines_from_then_on() -> None:
    transport = ScriptedTransport([FORBIDDEN, *[WELL] * 6])
    writer = BulkWriter(Tools(transport))
    assert writer.write(ADDITIONS) == (commands.obey_lines(), WELL)
    writer.write(ADDITIONS)
    assert transport.asked == [commands.load(), *[commands.obey_lines()] * 6]
    assert "".join(transport.fed[4:]) == "".join(ADDITIONS.lines)


def test_a_few_lines_are_quicker_than_a_load_and_written_as_such() -> None:
    transport = ScriptedTransport([WELL, WELL])
    few = Additions(file="Cluster - 'lab'\n", lines=ADDITIONS.lines[:5])
    more = Additions(file="Cluster - 'lab'\n", lines=ADDITIONS.lines[:6])
    writer = BulkWriter(Tools(transport))
    assert writer.write(few) == (commands.obey_lines(), WELL)
    assert writer.write(more) == (commands.load(), WELL)
    assert transport.fed == ["".join(few.lines), more.file]


def test_a_file_that_slurm_refuses_for_what_it_holds_is_not_said_in_lines() -> None:
    refused = Completed(1, "", " error: no TRES known by type gres/nope")
    transport = ScriptedTransport([refused])
    assert BulkWriter(Tools(transport)).write(ADDITIONS) == (commands.load(), refused)


def test_after_lines_that_ended_badly_no_more_are_written() -> None:
    down = Completed(1, "", "Connection refused")
    transport = ScriptedTransport([FORBIDDEN, WELL, down])
    assert BulkWriter(Tools(transport)).write(ADDITIONS) == (commands.obey_lines(), down)
