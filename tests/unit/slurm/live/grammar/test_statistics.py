"""sdiag's counters keep Slurm's names and stay in their sections."""

from datetime import UTC, datetime

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.cluster import Rpc
from waldur_slurm.slurm.live.grammar.statistics import parse_statistics

SAID = """\
*******************************************************
sdiag output at Mon Nov 30 04:47:11 2026 (1796014031)
Data since      Mon Nov 30 04:41:16 2026 (1796013676)
*******************************************************
Server thread count:  1
DBD Agent queue size: 3
Jobs submitted: 12
Job states ts:  Mon Nov 30 04:46:47 2026 (1796014007)
Main schedule statistics (microseconds):
\tLast cycle:   15
\tLast queue length: 0
Main scheduler exit:
\tEnd of job queue: 8
Backfilling stats
\tTotal backfilled jobs (since last slurm start): 1
\tLast cycle when: Mon Nov 30 04:41:23 2026 (1796013683)
\tLast cycle: 682
Backfill exit
\tEnd of job queue: 1
Latency for 1000 calls to gettimeofday(): 23 microseconds
Remote Procedure Call statistics by message type
\tREQUEST_PARTITION_INFO                  ( 2009) count:7      ave_time:230    total_time:1612
Remote Procedure Call statistics by user
\troot            (       0) count:21     ave_time:409    total_time:8598
Pending RPC statistics
\tNo pending RPCs
"""


def test_counters_are_read_by_section() -> None:
    found = parse_statistics(SAID)

    assert found.at == datetime.fromtimestamp(1796014031, UTC)
    assert found.since == datetime.fromtimestamp(1796013676, UTC)
    assert dict(found.counters) == {
        "Server thread count": 1,
        "DBD Agent queue size": 3,
        "Jobs submitted": 12,
        "Job states ts": 1796014007,
        "Latency for 1000 calls to gettimeofday()": 23,
    }
    assert dict(found.main_schedule) == {"Last cycle": 15, "Last queue length": 0}
    assert dict(found.backfill) == {
        "Total backfilled jobs (since last slurm start)": 1,
        "Last cycle when": 1796013683,
        "Last cycle": 682,
    }


def test_rpcs_are_counted_by_message_and_by_user() -> None:
    found = parse_statistics(SAID)

    assert found.by_message == (Rpc("REQUEST_PARTITION_INFO", 2009, 7, 230, 1612),)
    assert found.by_user == (Rpc("root", 0, 21, 409, 8598),)


def test_what_is_not_said_by_sdiag_is_refused() -> None:
    with pytest.raises(UnparsableOutput):
        parse_statistics("hello\n")
    with pytest.raises(UnparsableOutput):
        parse_statistics(SAID.replace("count:21", "count:many"))
