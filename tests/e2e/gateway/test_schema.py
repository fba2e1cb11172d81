"""The native API's own document is true: what a stranger's tool makes of it finds nothing wrong."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import SCOPES, ActingGateway, ActingSite
from tests.e2e.gateway.conftest import NewGateway
from tests.e2e.gateway.gateway import Gateway
from tests.trust.size import size

SEED = "20261130"
EXAMPLES = size(5, 50)
"""Drawn for each route, beside what its schema's own edges give; `make campaign` draws more."""
HOOKS = Path(__file__).parent / "schema_hooks.py"
CONFIGURATION = f"""\
hooks = "{HOOKS}"
[parameters]
wait = 0
cursor = ""
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 422, 429, "5xx"]
"""
"""Nobody is waited for; and a cursor is good for whoever was given it: none can be made up.

What is spelled rightly may be meant of another job, or be refused by Slurm all the same.
"""

CHECKS = (
    "not_a_server_error,positive_data_acceptance,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
    "missing_required_header,unsupported_method,ignored_auth"
)


def test_a_tool_that_knows_only_the_document_finds_nothing_wrong(
    new_gateway: NewGateway, lab: Cluster, slurm_users: tuple[str, ...], tmp_path: Path
) -> None:
    lab.submit(slurm_users[0], "physics", "sleep 600", "--output=/dev/null", "--array=1-3")
    with new_gateway(GATEWAY_ANONYMOUS_SCOPES="") as gateway:
        made = gateway.program.run(
            "token",
            "make",
            "--name=fuzzer",
            "--scopes=cluster:read,jobs:read:all,history:read,accounts:read",
            "--run-as=any",
        )
        fuzz(
            gateway,
            made.stdout.split()[-1],
            tmp_path,
            "--exclude-path-regex=(/events|/hooks/job|/clusters/.cluster./.*)$",
        )


def test_it_finds_nothing_wrong_with_handing_in_either(
    acting_site: ActingSite, acting: ActingGateway, tmp_path: Path
) -> None:
    token = acting_site.token()
    fuzz(acting, token, tmp_path, "--include-operation-id=post_jobs")


def test_it_finds_nothing_wrong_with_tasks_either(
    acting_site: ActingSite, acting: ActingGateway, tmp_path: Path
) -> None:
    token = acting_site.token(scopes=f"{SCOPES},monitor:read,monitor:write")
    fuzz(acting, token, tmp_path, r"--include-path-regex=^/api/v1/tasks(/\{uuid\})?$")


def test_it_finds_nothing_wrong_with_watching_either(
    acting_site: ActingSite, tmp_path: Path
) -> None:
    with acting_site.running(GATEWAY_HOOK_SECRET="s" * 32) as gateway:
        token = acting_site.token(scopes=f"{SCOPES},monitor:read,monitor:write")
        routes = r"monitors(/\{monitor_id\}(/.*)?)?|letters(/.*)?|hooks/job"
        fuzz(gateway, token, tmp_path, f"--include-path-regex=^/api/v1/({routes})$")


def test_it_finds_nothing_wrong_with_steering_either(
    acting_site: ActingSite, acting: ActingGateway, tmp_path: Path
) -> None:
    of_one = r"/\{job_id\}(/(hold|script))?"
    fuzz(
        acting,
        acting_site.token(),
        tmp_path,
        f"--include-path-regex=^/api/v1/jobs(:cancel|{of_one})$",
    )


def fuzz(gateway: Gateway, token: str, directory: Path, *more: str) -> None:
    configured = directory / "schemathesis.toml"
    configured.write_text(CONFIGURATION)
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            f"--config-file={configured}",
            "run",
            f"http://127.0.0.1:{gateway.port}/api/v1/openapi.json",
            f"--header=Authorization: Bearer {token}",
            f"--seed={SEED}",
            f"--max-examples={EXAMPLES}",
            "--phases=examples,coverage,fuzzing",
            "--generation-deterministic",
            "--request-timeout=30",
            f"--checks={CHECKS}",
            "--no-color",
            *more,
        ],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "request.crashed" not in gateway.daemon.log


def test_the_stream_of_events_answers_as_the_document_says(gateway: Gateway) -> None:
    document = gateway.get("/api/v1/openapi.json").json
    operation = document["paths"]["/api/v1/events"]["get"]
    patterns = {
        each["name"]: each["schema"]["pattern"]
        for each in operation["parameters"]
        if "pattern" in each["schema"]
    }
    taken = {"job": "12,12_3,12+0", "after": "7", "user": "ann", "state": "RUNNING"}
    refused = {"job": "lots", "after": "-1"}

    assert {each["name"] for each in operation["parameters"]} == taken.keys()
    assert patterns.keys() == refused.keys()
    for name, value in taken.items():
        assert re.search(patterns.get(name, ""), value)
        with gateway.opened("GET", f"/api/v1/events?{name}={quote(value)}") as response:
            assert response.status == 200
            assert [response.getheader("content-type")] == [
                f"{kind}; charset=utf-8" for kind in operation["responses"]["200"]["content"]
            ]
            assert response.readline() == b"retry: 3000\n"
    for name, value in refused.items():
        assert not re.search(patterns[name], value)
        answer = gateway.get(f"/api/v1/events?{name}={value}")
        assert (answer.status, answer.json["title"]) == (400, "The request is not understood")
        assert answer.headers["content-type"] in operation["responses"]["default"]["content"]
