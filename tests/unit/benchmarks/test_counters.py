"""Counts are summed over whatever labels were not asked for."""

from tests.e2e.counters import total

TOLD = """# HELP apiserver_request_total Requests
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="slurmjobs",verb="PATCH"} 3
apiserver_request_total{code="409",resource="slurmjobs",verb="PATCH"} 1
apiserver_request_total{code="200",resource="slurmjobs",verb="LIST"} 7
apiserver_request_total_more{verb="PATCH"} 100
slurm_gateway_requests_total{status="2xx"} 1.5e+01
bare_total 2
"""


def test_lines_of_one_name_with_these_labels_are_added_up() -> None:
    assert total(TOLD, "apiserver_request_total", verb="PATCH", resource="slurmjobs") == 4
    assert total(TOLD, "slurm_gateway_requests_total") == 15
    assert total(TOLD, "bare_total") == 2
    assert total(TOLD, "nothing") == 0
