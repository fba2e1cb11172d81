"""What sbatch is told beside a script: the script's word counts, and the output stays findable."""

import pytest

from waldur_slurm.gateway.apps.sheet import sheet_of, stdout_of

PLACE = "/var/lib/slurmer/applications/a/jobs/b"


def test_a_script_that_says_nothing_runs_and_writes_in_its_directory() -> None:
    sheet = sheet_of("#!/bin/sh\ntrue\n", PLACE)

    assert sheet.options == {
        "chdir": PLACE,
        "output": f"{PLACE}/slurm-%j.out",
        "job-name": "batch.sh",
    }
    assert stdout_of(sheet, PLACE, 12) == f"{PLACE}/slurm-12.out"


@pytest.mark.parametrize("line", ["--chdir=/tmp", "-D/tmp", '--chdir="/tmp"'])
def test_where_the_script_says_to_run_it_runs_and_its_output_stays(line: str) -> None:
    sheet = sheet_of(f"#!/bin/sh\n#SBATCH {line}\ntrue\n", PLACE)

    assert sheet.options.keys() == {"output", "job-name"}


def test_an_output_of_the_scripts_own_is_known_to_slurm_alone() -> None:
    sheet = sheet_of("#!/bin/sh\n#SBATCH -o /scratch/ann/%x.txt\ntrue\n", PLACE)

    assert "output" not in sheet.options
    assert stdout_of(sheet, PLACE, 12) == ""


@pytest.mark.parametrize("between", ["=", " "])
def test_a_comment_is_said_beside_the_script_with_all_that_is_in_it(between: str) -> None:
    words = f'--comment{between}"it\'s \\"x\\""'
    sheet = sheet_of(f"#!/bin/sh\n#SBATCH {words} -n 1\ntrue\n", PLACE)

    assert sheet.options["comment"] == 'it\'s "x"'


def test_what_comes_after_the_first_command_is_no_option() -> None:
    script = "#!/bin/sh\n\n# a comment\nsrun 'echo' '\n#SBATCH --output=/tmp/x\n'\n"

    assert "output" in sheet_of(script, PLACE).options


def test_a_percent_in_the_directory_is_no_sign_of_sbatchs() -> None:
    assert sheet_of("#!/bin/sh\n", "/a%j").options["output"] == "/a%%j/slurm-%j.out"
