"""Every allocation's month, by person and TRES, is what the history comes to: to the second."""

from pathlib import Path

from sandbox.slurm import ClusterOptions
from sandbox.slurm.history_jobs import HistoryOptions
from tests.e2e.push_past import TALLINN, as_known, past_of
from tests.fixtures_slurm import NewCluster

OPTIONS = ClusterOptions(with_controller=False, other_clusters=("other",))


def test_200_000_jobs_over_13_months_are_measured_to_the_second(
    new_slurm_cluster: NewCluster, tmp_path: Path
) -> None:
    with new_slurm_cluster(OPTIONS) as cluster:
        past = past_of(cluster, HistoryOptions(zone=TALLINN.key))
        assert len(past.history.jobs) == 200_000

        measured = past.meter(tmp_path, TALLINN).measure(past.months, past.end, past.accounts)

        assert as_known(measured) == past.known(TALLINN, past.months)
