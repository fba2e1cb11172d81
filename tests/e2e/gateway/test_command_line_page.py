"""What `docs/gateway.md` says of the command line, typed to the letter on a real gateway."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.gateway.acting import HONEST, ActingGateway, ActingSite
from tests.e2e.gateway.test_first_job_page import gateway_command
from tests.e2e.gateway.test_submit_page import PAGE
from tests.fixtures_hand import ANN
from tests.page import read_blocks
from tests.places import PROJECT
from waldur_slurm.gateway.cli.exits import NOT_OVER, OUTCOMES
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.routes import ROUTES

SECTION = "From the command line"
Done = subprocess.CompletedProcess


class Desk:
    """A terminal of Ann's, on any machine."""

    def __init__(self, site: ActingSite, acting: ActingGateway, directory: Path) -> None:
        self.directory = directory
        self.home = site.hand.home(ANN)
        gateway_command(site, directory)
        command = directory / "slurm-gateway"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m waldur_slurm.gateway.main "$@"\n')
        command.chmod(0o755)
        self.environ = {
            "PATH": f"{directory}:/usr/bin:/bin",
            "PYTHONPATH": str(PROJECT),
            "USER": ANN,
            "GATEWAY_URL": f"http://127.0.0.1:{acting.port}",
        }

    def types(self, typed: str, **environ: str) -> "Done[str]":
        return subprocess.run(
            ["/bin/bash", "-c", typed],
            env={**self.environ, **environ},
            cwd=self.directory,
            check=False,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def desk(acting_site: ActingSite, acting: ActingGateway, tmp_path: Path) -> Desk:
    made = Desk(acting_site, acting, tmp_path)
    acting_site.sbatch(f"cd {made.home} && {HONEST}")
    made.environ["GATEWAY_TOKEN"] = acting_site.token(ANN)
    return made


def blocks() -> list[tuple[str, ...]]:
    kind = (SECTION, "bash")
    return [each.lines for each in read_blocks(PAGE) if (each.section, each.language) == kind]


def test_the_lines_of_the_command_line_do_what_they_say(desk: Desk) -> None:
    first, typed = blocks()
    script = "\n".join([*first, *(f"{line}\necho == $?" for line in typed)])
    port = desk.environ["GATEWAY_URL"].rpartition(":")[2]
    said = desk.types(script.replace("8040", port), GATEWAY_TOKEN="")

    outputs = re.split(r"^== (\d+)\n", said.stdout, flags=re.MULTILINE)[:-1]
    assert {*outputs[1::2]} == {"0"}, said.stdout + said.stderr
    told = dict(zip((line.split("#")[0].strip() for line in typed), outputs[::2], strict=True))

    def of(*words: str) -> str:
        (found,) = (text for line, text in told.items() if all(word in line for word in words))
        return found

    assert re.search(r"^jobs:submit +yes ", of("gateway me"), re.MULTILINE)
    assert f"Owner:     {ANN}, account physics" in of("show $JOB")
    assert "COMPLETED, exit code 0:0" in of("wait --timeout")
    assert of("gateway tail") == "done\n"
    assert of("files list").split()[-1] == "answer.txt"
    assert of("files get") == "answer.txt\n"
    assert (desk.directory / "answer.txt").read_text() == "42\n"
    assert re.fullmatch(r"\d+\n", of("run-44"))
    assert of("jobs --state").startswith("JOB ")
    assert "COMPLETED" in of("history")
    assert "MEM" in of("history").splitlines()[0]
    assert len(of("gateway nodes").splitlines()) > 1
    assert "UP" in of("gateway usage")
    assert "Waits:" in of("--why")
    assert of("gateway release") == of("cancel $HELD") == ""
    assert of("token job").startswith("sgw_")
    assert "makes a second" in said.stderr
    assert "sgw_" not in said.stderr


def test_wait_exits_with_how_jobs_end(desk: Desk) -> None:
    failed = desk.types("slurm-gateway submit --wait - <<<$'#!/bin/sh\\nexit 9'")
    assert (failed.returncode, "FAILED, exit code 9:0" in failed.stderr) == (1, True)
    slow = "slurm-gateway submit --mark m1 - <<<$'#!/bin/sh\\nsleep 600'"
    typed = (
        f"JOB=$({slow}); slurm-gateway wait --until started $JOB; echo == $?;"
        "slurm-gateway wait --timeout 1 $JOB; echo == $?;"
        "slurm-gateway cancel --mark other $JOB; echo == $?;"
        "slurm-gateway cancel --mark m1 $JOB; slurm-gateway wait $JOB; echo == $?"
    )
    assert re.findall(r"^== (\d+)$", desk.types(typed).stdout, re.MULTILINE) == [
        "0",
        "8",
        "65",
        "4",
    ]


def test_a_lost_answer_makes_no_second_job(desk: Desk, acting_site: ActingSite) -> None:
    job = "slurm-gateway submit --key lost --mark cli-lost -D /tmp -o /dev/null -"
    typed = f"for _ in 1 2; do {job} <<<$'#!/bin/sh\\nsleep 60'; done"
    first, second = desk.types(typed).stdout.split()
    assert first == second
    assert len(acting_site.jobs_marked("cli-lost")) == 1


def test_output_is_followed_to_the_end_of_the_job(desk: Desk) -> None:
    typed = (
        "JOB=$(slurm-gateway submit - <<<$'#!/bin/sh\\necho one; sleep 2; echo two');"
        "slurm-gateway tail -f -n all $JOB"
    )
    assert desk.types(typed).stdout == "one\ntwo\n"


@pytest.mark.parametrize(
    ("typed", "changes", "code", "words"),
    [
        ("jobs", {"GATEWAY_URL": ""}, 78, "GATEWAY_URL is not set"),
        ("jobs", {"GATEWAY_TOKEN": ""}, 77, "set GATEWAY_TOKEN"),
        ("jobs", {"GATEWAY_TOKEN": "sgw_abcdefgh_" + 43 * "x"}, 77, "set GATEWAY_TOKEN"),
        ("show 999999", {}, 66, "there is no job 999999"),
        ("wait 999999", {}, 66, "there is no job 999999"),
        ("show nothing", {}, 2, "expected the number of a job"),
        ("jobs --cluster other", {}, 66, "there is no such cluster"),
        ("jobs --url http://127.0.0.1:1 --patience 0", {}, 75, "Connection refused"),
        ("jobs --state DANCING --sort none", {}, 65, "sort"),
        ("submit none.sh", {}, 78, "none.sh cannot be read: No such file"),
        ("submit --partition nosuch - </dev/null", {}, 65, "script"),
        ("submit --partition nosuch - <<<$'#!/bin/sh\\n'", {}, 65, "partition"),
        ("submit --user root - <<<$'#!/bin/sh\\n'", {}, 77, "slurm-gateway me"),
        ("files get 999999 x", {}, 66, "there is no job 999999"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_says_what_to_do(
    desk: Desk, typed: str, changes: dict[str, str], code: int, words: str
) -> None:
    done = desk.types(f"slurm-gateway {typed}", **changes)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    *_, said = done.stderr.splitlines()
    assert said.startswith("slurm-gateway")
    assert words in said
    assert "Traceback" not in done.stderr


def test_hostile_names_do_not_reach_the_terminal_raw(desk: Desk, acting_site: ActingSite) -> None:
    name = "$'\\e]0;pwned\\a\\e[2J'"
    asked = f"scontrol update JobId=$JOB JobName={name}"
    held = desk.types("slurm-gateway submit --hold -D /tmp - <<<$'#!/bin/sh\\n'").stdout.strip()
    acting_site.lab.must("/bin/bash", "-c", f"JOB={held}; {asked}")
    for command in ("jobs", f"show {held}", "jobs --json", "jobs --csv"):
        done = desk.types(f"slurm-gateway {command}")
        assert held in done.stdout
        assert "pwned" in done.stdout
        assert "\x1b" not in done.stdout


def route_of(method: str, path: str) -> Route:
    native = path if path.startswith("/api/v1") else f"/api/v1{path}"
    (found,) = (each for each in ROUTES if (each.method, each.path) == (method, native))
    return found


def test_the_table_of_commands_says_what_each_route_takes() -> None:
    page = PAGE.read_text().partition(f"## {SECTION}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*`) \| `(\w+) (/\S+)`.*\| `?([a-z:]+)`? \|$", page, re.MULTILINE)
    assert len(rows) == 12
    for _, method, path, scope in rows:
        assert str(getattr(route_of(method, path).scope, "value", "none")) == scope
    named = {word for names, *_ in rows for word in re.findall(r"`([a-z ]+)`", names)}
    assert {name.split()[0] for name in named} == {
        *("jobs", "show", "wait", "submit", "cancel", "hold", "release", "tail", "files"),
        *("history", "usage", "nodes", "token", "me"),
    }


def test_the_table_of_exit_codes_has_all_of_them() -> None:
    page = PAGE.read_text().partition(f"## {SECTION}\n")[2].partition("\n## ")[0]
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert listed == {*OUTCOMES.values(), NOT_OVER, 2, 65, 66, 69, 75, 77, 78}


def test_json_is_the_apis_own(desk: Desk, acting: ActingGateway) -> None:
    held = desk.types("slurm-gateway submit --hold -D /tmp - <<<$'#!/bin/sh\\n'").stdout.strip()
    printed = json.loads(desk.types(f"slurm-gateway show --json --why {held}").stdout)
    answered = acting.send(desk.environ["GATEWAY_TOKEN"], "GET", f"/api/v1/jobs/{held}/reason").json
    assert printed.keys() == answered.keys()
    assert printed["reason"] == answered["reason"]
    assert printed["reason"]["category"] == "held"
