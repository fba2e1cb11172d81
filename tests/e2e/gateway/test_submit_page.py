"""What `docs/gateway.md` says of handing in once, typed to the letter."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.fixtures_hand import ANN
from tests.page import read_blocks
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "gateway.md"


def block(section: str, language: str = "bash") -> tuple[str, ...]:
    kind = (section, language)
    (found,) = (each for each in read_blocks(PAGE) if (each.section, each.language) == kind)
    return tuple(found.lines)


def test_the_lines_of_submit_once_do_what_they_say(
    acting_site: ActingSite, acting: ActingGateway, tmp_path: Path
) -> None:
    environ = {
        "PATH": "/usr/bin:/bin",
        "USER": ANN,
        "TOKEN": acting_site.token(),
        "GATEWAY": f"http://127.0.0.1:{acting.port}",
    }
    said = subprocess.run(
        ["/bin/bash", "-c", "shopt -s expand_aliases\n" + "\necho\n".join(block("Submit once"))],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    answers: list[Any] = [json.loads(line) for line in said.stdout.splitlines() if line]
    estimate, first, again = answers
    assert estimate["processors"] >= 2
    assert first == again
    assert first["submit_time"]
    shown = acting_site.lab.must("scontrol", "show", "job", first["job_id"])
    assert f"UserId={ANN}(" in shown
    assert "NumTasks=2" in shown
