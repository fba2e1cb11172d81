"""What `docs/gateway.md` says of a first job, and of Python, typed to the letter."""

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.gateway.acting import HONEST, ActingGateway, ActingSite
from tests.e2e.gateway.test_submit_page import PAGE, block
from tests.fixtures_hand import ANN
from tests.page import read_blocks
from tests.places import PROJECT


@pytest.fixture
def home(acting_site: ActingSite) -> Path:
    """Where Ann is when she types sbatch: what the site's users are at home in is not there."""
    home = acting_site.hand.home(ANN)
    acting_site.sbatch(f"cd {home} && {HONEST}")
    return home


def settings_of(page: Path, section: str) -> dict[str, str]:
    (found,) = (
        each for each in read_blocks(page) if (each.language, each.section) == ("ini", section)
    )
    return dict(line.split("=", 1) for line in found.lines)


def gateway_command(acting_site: ActingSite, directory: Path) -> Path:
    """Make `gateway`, which is an alias of another section, a command here."""
    program = acting_site.program()
    told = [f"{name}={value}" for name, value in program.environ.items()]
    script = directory / "gateway"
    script.write_text(
        f'#!/bin/sh\ncd {PROJECT}\nexec {shlex.join(["env", *told, *program.argv()])} "$@"\n'
    )
    script.chmod(0o755)
    return script


def test_the_lines_of_a_first_job_lead_to_its_output(
    acting_site: ActingSite, home: Path, tmp_path: Path
) -> None:
    settings = settings_of(PAGE, "The first job")
    gateway_command(acting_site, tmp_path)
    with acting_site.running(settings.pop("GATEWAY_EXECUTOR")) as acting:
        typed = "\n".join(block("The first job")).replace("8040", str(acting.port))
        said = subprocess.run(
            ["/bin/bash", "-c", f"shopt -s expand_aliases\n{typed}"],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "USER": ANN},
            capture_output=True,
            text=True,
            check=True,
        )

    assert settings == {}
    assert '"outcome":"success"' in said.stdout
    assert said.stdout.endswith(f"}}{socket.gethostname()}\n")


def test_the_lines_of_python_do_what_they_say(
    acting_site: ActingSite, acting: ActingGateway, home: Path, tmp_path: Path
) -> None:
    environ = {
        "PYTHONPATH": str(PROJECT),
        "TOKEN": acting_site.token(ANN),
        "GATEWAY": f"http://127.0.0.1:{acting.port}",
        "USER": ANN,
    }
    before = len(acting_site.jobs_marked(""))
    argv = [sys.executable, "-c", "\n".join(python_blocks()[0])]
    for _ in range(2):
        said = subprocess.run(
            argv, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert said.stdout == "success done\n"
        assert (tmp_path / "answer.txt").read_text() == "42\n"
    assert len(acting_site.jobs_marked("")) == before + 1
    assert (home / "answer.txt").owner() == ANN


def python_blocks() -> list[tuple[str, ...]]:
    kind = ("From Python", "python")
    return [each.lines for each in read_blocks(PAGE) if (each.section, each.language) == kind]


def test_the_lines_of_python_that_wait_and_list_do_what_they_say(
    acting_site: ActingSite, acting: ActingGateway, home: Path, tmp_path: Path
) -> None:
    environ = {
        "PYTHONPATH": str(PROJECT),
        "TOKEN": acting_site.token(ANN),
        "GATEWAY": f"http://127.0.0.1:{acting.port}",
    }
    acting.submit(environ["TOKEN"], options={"hold": True})
    said = subprocess.run(
        [sys.executable, "-c", "\n".join(python_blocks()[1])],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = said.stdout.splitlines()
    assert lines[:3] == ["begun", "done", "COMPLETED"]
    assert any("holds it." in line and "after it is released." in line for line in lines[3:-2])
    assert lines[-2:] == ["True", "True"]
