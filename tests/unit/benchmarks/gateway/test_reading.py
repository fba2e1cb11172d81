"""What the gateway's benchmarks read: Slurm's own counts, late loops, a hand's memory."""

import subprocess
import sys
from pathlib import Path

from benchmarks.gateway.archives import peaks_of
from benchmarks.gateway.bed import listings_in
from benchmarks.gateway.refresh import percentile

SDIAG = """\
Remote Procedure Call statistics by message type
\tREQUEST_PARTITION_INFO                  ( 2009) count:3      ave_time:98     total_time:294
\tREQUEST_JOB_INFO                        ( 2003) count:12     ave_time:4123   total_time:49476
\tREQUEST_JOB_INFO_SINGLE                 ( 2021) count:40     ave_time:9      total_time:360
"""


def test_listings_are_those_of_all_jobs_by_slurmctlds_own_count() -> None:
    assert listings_in(SDIAG) == 12
    assert listings_in("nothing yet") == 0


def test_a_percentile_is_the_least_that_so_many_do_not_exceed() -> None:
    ordered = [float(number) for number in range(1, 201)]

    assert percentile(ordered, 99) == 198
    assert percentile(ordered, 50) == 100
    assert percentile([7.0], 99) == 7.0


def test_of_all_processes_those_count_that_run_the_program(tmp_path: Path) -> None:
    program = tmp_path / "hand"
    program.write_text("print('ready', flush=True); input()")
    assert [*peaks_of(program)] == []
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        (peak,) = peaks_of(program)
        running.communicate(b"\n")
    assert 1 < peak < 100
