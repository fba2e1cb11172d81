"""What `docs/gateway.md` says of steering jobs, typed to the letter."""

import json
import subprocess
from pathlib import Path

from tests.e2e.gateway.acting import SLEEP, ActingGateway, ActingSite
from tests.e2e.gateway.test_steer import state, wait_until
from tests.e2e.gateway.test_submit_page import block
from tests.fixtures_hand import ANN


def test_the_lines_of_steer_jobs_do_what_they_say(
    acting_site: ActingSite, acting: ActingGateway, tmp_path: Path
) -> None:
    lab, token = acting_site.lab, acting_site.token(ANN)
    placed = acting.submit(token).json
    wait_until(lambda: state(lab, placed["job_id"]) == "RUNNING", "a run")
    alias, *lines = block("Submit once")[0], *block("Steer jobs")
    environ = {
        "PATH": "/usr/bin:/bin",
        "TOKEN": token,
        "GATEWAY": f"http://127.0.0.1:{acting.port}",
        "JOB": placed["job_id"],
        "SUBMITTED": placed["submit_time"],
    }
    said = subprocess.run(
        ["/bin/bash", "-c", "\n".join(("shopt -s expand_aliases", alias, *lines))],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    script, many = said.stdout[: len(SLEEP)], said.stdout[len(SLEEP) :]
    assert script == SLEEP, said.stdout
    (outcome,) = json.loads(many)["jobs"]
    assert (outcome["job_id"], outcome["detail"]) == (placed["job_id"], "")
    assert outcome["outcome"] in ("over", "cancelled")
    shown = lab.must("scontrol", "show", "job", placed["job_id"])
    assert "TimeLimit=01:00:00" in shown
    assert "JobState=CANCELLED" in shown
    acts = [act["event"] for act in acting_site.acts() if act["event"] != "job.submit"]
    assert acts == [
        "job.hold",
        "job.release",
        "job.update",
        "job.cancel",
        "job.cancel",
        "job.cancel",
    ]
    assert [act["fields"].get("signal") for act in acting_site.acts()].count("USR1") == 1
