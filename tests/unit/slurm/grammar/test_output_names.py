"""What slurmd called a job's output, as seen on 22.05.8, 24.11.5 and 26.05.5."""

import pytest

from waldur_slurm.model.batch import job_id
from waldur_slurm.slurm.grammar.output_names import NamedJob, output_path

WORK = "/home/ann/jobs"
PLAIN = NamedJob(job_id("27"), 27, "ann", "na me", "n1.example.org", WORK)
TASK = NamedJob(job_id("17_7"), 26, "ann", "nm", "n1", WORK)
LAST_TASK = NamedJob(job_id("3_2"), 3, "ann", "nm", "n1", WORK)
COMPONENT = NamedJob(job_id("21+0"), 21, "ann", "nm", "n1", WORK)


@pytest.mark.parametrize(
    ("job", "pattern", "name"),
    [
        (PLAIN, f"{WORK}/slurm-27.out", "slurm-27.out"),  # 22.05, nothing asked for
        (PLAIN, f"{WORK}/slurm-%j.out", "slurm-27.out"),  # 24.11
        (PLAIN, "slurm-%j.out", "slurm-27.out"),  # 26.05
        (TASK, f"{WORK}/slurm-26.out", "slurm-17_7.out"),  # 22.05
        (TASK, f"{WORK}/slurm-%A_%a.out", "slurm-17_7.out"),  # 24.11
        (TASK, "slurm-%A_%a.out", "slurm-17_7.out"),  # 26.05
        (LAST_TASK, f"{WORK}/slurm-3.out", "slurm-3_2.out"),  # 22.05
        (PLAIN, f"{WORK}/slurm-26.out", "slurm-26.out"),
        (TASK, f"{WORK}/x%4a-%A-%j-%J.o", "x0007-17-26-26.o"),
        (TASK, f"{WORK}/x-%b", "x-7"),
        (COMPONENT, f"{WORK}/het-%j-%A-%a", "het-21-21-4294967294"),
        (PLAIN, f"{WORK}/w-%%j-%12A-%3x-%99j-%0j-%.o", "w-%j-0000000027-na me-0000000027-27-%.o"),
        (PLAIN, f"{WORK}/x-%x-%u-%N-%%-%5j-%t-%s-%n", "x-na me-ann-n1-%-00027-0-batch-0"),
        (PLAIN, f"{WORK}/u%J%2n%3s%4t", "u2700batch0000"),
        (PLAIN, f"{WORK}/a%%%j", "a%27"),
        (PLAIN, f"{WORK}/q-%q", "q-%q"),
        (PLAIN, f"{WORK}/n\u00e9w\n%j", "n\u00e9w\n27"),
        (PLAIN, f"{WORK}/sub dir/./%A//q.out", "sub dir/27/q.out"),
        (PLAIN, f"{WORK}/%00000000000000005j", "00027"),
        (PLAIN, f"{WORK}/%{'9' * 5000}j", "0000000027"),
    ],
)
def test_a_pattern_becomes_the_name_that_slurmd_makes_of_it(
    job: NamedJob, pattern: str, name: str
) -> None:
    assert output_path(pattern, job) == f"{WORK}/{name}"


def test_what_a_job_is_called_is_no_pattern() -> None:
    assert output_path("name-%x", PLAIN._replace(name="a%jb")) == f"{WORK}/name-a%jb"


def test_an_absolute_name_stays_where_it_is() -> None:
    assert output_path("/dev/null", PLAIN) == "/dev/null"
    assert output_path("/scratch/%u/%j", PLAIN) == "/scratch/ann/27"


@pytest.mark.parametrize(
    "pattern",
    ["\\\\lit-%j.out", "C\\x", "n-%5%x", "w-%", "n-%5", "w-%5q", ""],
)
def test_what_releases_read_differently_has_no_name(pattern: str) -> None:
    assert output_path(pattern, PLAIN) is None


def test_a_host_that_is_not_known_is_not_guessed() -> None:
    assert output_path("host-%N", PLAIN._replace(host="")) is None
