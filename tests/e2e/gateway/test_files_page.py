"""What `docs/gateway.md` says of output and files, typed to the letter."""

import json
import subprocess
from pathlib import Path

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.test_submit_page import block
from tests.fixtures_hand import ANN

SCRIPT = "#!/bin/sh\nmkdir out; echo 1,2 >out/1.csv; echo hello\n"


def test_the_lines_of_output_and_files_do_what_they_say(
    acting_site: ActingSite, acting: ActingGateway, tmp_path: Path
) -> None:
    token, home = acting_site.token(ANN), str(acting_site.hand.home(ANN))
    options = {"chdir": home, "account": "physics", "mem": "10"}
    made = acting.send(
        token,
        "POST",
        "/api/v1/jobs",
        {"script": SCRIPT, "user": ANN, "options": options},
        Idempotency_Key="page",
    )
    environ = {
        "PATH": "/usr/bin:/bin",
        "TOKEN": token,
        "GATEWAY": f"http://127.0.0.1:{acting.port}",
        "JOB": made.json["job_id"],
    }
    alias = block("Submit once")[0]
    lines = [alias, *block("Output and files")]

    said = subprocess.run(
        ["/bin/bash", "-c", "shopt -s expand_aliases\n" + "\necho ==\n".join(lines)],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    output, errors, events, listed, whole, _, digest, made_token = said.stdout.split("==\n")[1:]
    assert output == errors == "hello\n"
    assert '"text":"hello\\n"' in events
    assert "event: end" in events
    assert [each["path"] for each in json.loads(listed)] == ["out/1.csv"]
    assert (tmp_path / "1.csv").read_text() == "1,2\n"
    assert whole == ""
    assert len(json.loads(digest)["sha256"]) == 64
    assert json.loads(made_token)["scopes"] == ["files:read"]
