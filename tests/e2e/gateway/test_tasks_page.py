"""What `docs/gateway.md` says of tasks, typed to the letter."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.task_site import TaskSite, submit
from tests.fixtures_hand import ANN
from tests.page import read_blocks
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "gateway.md"
ASK = "shopt -s expand_aliases\nalias ask='curl -sS -H \"Authorization: Bearer $TOKEN\"'\n"


def block(language: str) -> tuple[str, ...]:
    (found,) = (
        each for each in read_blocks(PAGE) if (each.section, each.language) == ("Tasks", language)
    )
    return tuple(found.lines)


def test_the_lines_of_tasks_do_what_they_say(
    acting_site: ActingSite, acting: ActingGateway, tmp_path: Path
) -> None:
    site = TaskSite.make(acting_site)
    environ = {
        "PATH": "/usr/bin:/bin",
        "USER": ANN,
        "HOME": str(site.home),
        "TOKEN": site.token(),
        "GATEWAY": f"http://127.0.0.1:{acting.port}",
    }
    said = subprocess.run(
        ["/bin/bash", "-c", ASK + "\n".join(block("bash")).replace("\nask", "\necho; ask")],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    answers: list[Any] = [json.loads(line) for line in said.stdout.splitlines() if line]
    first, again, shown = answers
    assert first == again == shown
    site.wait_for_end(first["job_id"])
    written = (site.home / "hello/output/hello.txt").read_text()
    assert re.fullmatch(rf"hello, world! \(job {first['job_id']} of {ANN} at .+\)\n", written)


def test_the_file_of_names_on_the_page_is_one(acting_site: ActingSite) -> None:
    site = TaskSite.make(acting_site)
    names = acting_site.place / "names.yaml"
    names.write_text("\n".join(block("yaml")))
    token = site.token()
    task = site.sleeper("nightly", name="nightly", cmd="", params=["--fast"])
    with acting_site.running(GATEWAY_TASK_NAMES=str(names)) as gateway:
        answer = submit(gateway, token, task)
        script = gateway.send(token, "GET", f"/api/v1/jobs/{answer.json['job_id']}/script").body

    assert answer.status == 201, answer.body
    assert b"/opt/site/nightly --all --fast" in script
