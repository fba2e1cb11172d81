"""Job records end where the window ends, whatever sacct makes of its last second."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.transport import ScriptedTransport
from waldur_slurm.model.jobs import JobRecord
from waldur_slurm.model.names import ClusterName
from waldur_slurm.model.period import Window
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.client import SlurmClient

END = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = Window(END - timedelta(days=1), END)


@pytest.mark.parametrize(
    ("state", "began", "ended", "held", "counted"),
    [
        ("RUNNING", -100, 1, 101, 100),
        ("SUSPENDED", -100, 1, 101, 100),
        ("COMPLETED", -100, 1, 81, 80),
        ("RUNNING", 0, 1, 1, 0),
        ("COMPLETED", -100, 0, 100, 100),
        ("COMPLETED", -100, -50, 50, 50),
    ],
)
def test_a_second_after_the_window_is_not_counted(
    state: str, began: int, ended: int, held: int, counted: int
) -> None:
    at = int(END.timestamp())
    line = f"7|{state}|{at - 200}|{at + began}|{at + ended}|{held}|cpu=4|cpu=4|alpha|ann|"
    transport = ScriptedTransport([Completed(0, line + "\n", "")])
    slurm = SlurmClient(transport, cluster=ClusterName("lab"))

    (record,) = slurm.read_job_records(DAY)

    assert isinstance(record, JobRecord)
    assert record.seconds == counted
    assert record.end == END + timedelta(seconds=min(ended, 0))
