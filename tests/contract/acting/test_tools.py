"""Slurm's tools as a user: their words, their end, and what never reaches them."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.fixtures_hand import ANN, HandSite
from waldur_slurm.errors import NotPermitted, TransportError
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports.on_behalf import Behalf, OnBehalf

MOST = 10 * 1024 * 1024


def script(hand_site: HandSite, text: str) -> None:
    """Let sbatch be this, for what a tool is given and what becomes of its words."""
    path = hand_site.directory / "bin" / "sbatch"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    hand_site.write_conf(slurm_bin=str(path.parent))


def test_a_tools_words_and_code_come_back_apart(
    ann: Behalf, hand_site: HandSite, home: str
) -> None:
    script(hand_site, 'cat; echo "$@" >&2; exit 7')

    done = ann.commands.run(("sbatch", "--job-name=a b", "--hold"), stdin="#!/bin/sh\nhostname\n")

    assert done.code == 7
    assert done.out == "#!/bin/sh\nhostname\n"
    assert done.err == "--job-name=a b --hold\n"


def test_lines_are_streamed(ann: Behalf, hand_site: HandSite) -> None:
    script(hand_site, "seq 5; echo so >&2")
    endings: list[Completed] = []

    assert [*ann.commands.stream(("sbatch",), believe=endings.append)] == [*"12345"]
    assert [(each.code, each.err) for each in endings] == [(0, "so\n")]


def test_variables_of_a_job_reach_sbatch_in_a_file_without_a_name(
    ann: Behalf, hand_site: HandSite
) -> None:
    script(hand_site, 'echo "$@"; cat <&3 | tr "\\0" "~"; echo "[$A]"')

    done = ann.commands.run(("sbatch", "--parsable"), variables={"A": "x,y\nz", "B": ""})

    assert done.out == "--parsable --export=ALL --export-file=3\nA=x,y\nz~B=~[]\n"


def test_variables_of_a_job_may_lie_in_a_file_of_the_users(
    ann: Behalf, hand_site: HandSite, home: str
) -> None:
    script(hand_site, 'echo "$@"; cat <&3')
    ann.files.put(f"{home}/env", [b"A=b\0"], most=MOST)
    Path(home, "link").symlink_to("/etc/hostname")

    done = ann.commands.run(("sbatch", f"--export-file={home}/env", "--export=ALL"))

    assert done.out == "--export=ALL --export-file=3\nA=b\0"
    for path in ("/etc/hostname", f"{home}/link"):
        with pytest.raises(NotPermitted):
            ann.commands.run(("sbatch", f"--export-file={path}"))
    with pytest.raises(NotPermitted, match="drops a job's variables"):
        ann.commands.run(("sbatch", "--export=NONE"), variables={"A": "b"})
    with pytest.raises(NotPermitted, match="one way"):
        ann.commands.run(("sbatch", f"--export-file={home}/env"), variables={"A": "b"})


def test_what_is_not_in_the_table_is_refused_before_anything_runs(
    ann: Behalf, hand_site: HandSite, home: str
) -> None:
    script(hand_site, f"touch {home}/ran")
    for argv in (("sbatch", "--uid=0"), ("srun", "id"), ("/bin/sh",), ("sbatch", "x.sh")):
        with pytest.raises(NotPermitted):
            ann.commands.run(argv)
    with pytest.raises(NotPermitted, match="may not be told"):
        ann.commands.run(("sbatch",), environ={"LD_PRELOAD": f"{home}/x.so"})
    with pytest.raises(NotPermitted, match="larger than"):
        ann.commands.run(("sbatch",), stdin="x" * (4 * 1024 * 1024 + 1))

    assert not Path(home, "ran").exists()


def test_a_tool_that_does_not_end_is_killed(ann: Behalf, hand_site: HandSite) -> None:
    script(hand_site, "sleep 60 & wait")

    with pytest.raises(TransportError, match="did not end in time"):
        ann.commands.run(("sbatch",), timeout=timedelta(seconds=1))


def test_a_tool_that_is_not_there_is_said(ann: Behalf, hand_site: HandSite) -> None:
    hand_site.write_conf(slurm_bin="/nonexistent")

    with pytest.raises(TransportError, match="/nonexistent/scontrol cannot be started"):
        ann.commands.run(("scontrol", "ping"))


def test_what_ends_without_an_answer_is_nobodys_refusal(hand_site: HandSite, home: str) -> None:
    silent = hand_site.directory / "silent"
    silent.write_text("#!/bin/sh\necho something is wrong >&2\n")
    silent.chmod(0o755)
    broken = HandSite(hand_site.directory).hand("self")
    broken._argv = (str(silent),)  # type: ignore[attr-defined]  # one way of three has it

    with pytest.raises(TransportError, match="did not answer: something is wrong"):
        OnBehalf(broken).of(ANN).files.look(home)
