"""A job's output and files through a real gateway, a real hand and a real Slurm."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, BOB
from tests.trust.size import size

MIB = 1024 * 1024
HUGE = size(256, 2048) * MIB


@pytest.fixture
def home(acting_site: ActingSite) -> Path:
    return acting_site.hand.home(ANN)


@pytest.fixture
def token(acting_site: ActingSite) -> str:
    return acting_site.token(ANN)


def submit(acting: ActingGateway, token: str, home: Path, script: str, **options: Any) -> str:
    """Hand in a job of Ann's in her home; return its number."""
    given = {"chdir": str(home), "account": "physics", "mem": "10", **options}
    asked = {"script": f"#!/bin/sh\n{script}\n", "user": ANN, "options": given}
    answer = acting.send(token, "POST", "/api/v1/jobs", asked, Idempotency_Key=os.urandom(8).hex())
    assert answer.status == 201, answer.body
    return str(answer.json["job_id"])


def read_all(acting: ActingGateway, token: str, job: str, more: str = "") -> bytes:
    """Read as a collector does: piece by piece, until it is complete."""
    got, offset = b"", 0
    while True:
        query = f"offset={offset}&wait=20&limit=65536{more}"
        answer = acting.send(token, "GET", f"/api/v1/jobs/{job}/output?{query}")
        assert answer.status == 200, answer.body
        got, offset = got + answer.body, int(answer.headers["x-next-offset"])
        if answer.headers["x-complete"] == "true":
            return got


def put(home: Path, name: str, content: bytes) -> Path:
    """Write a file of Ann's, a while ago."""
    path = home / name
    path.write_bytes(content)
    shutil.chown(path, ANN)
    os.utime(path, (1_790_000_000, 1_790_000_000))
    return path


# Output


def test_a_running_jobs_output_is_read_to_its_end(
    acting: ActingGateway, token: str, home: Path
) -> None:
    script = "for i in 1 2 3; do echo $i; sleep 1; done; echo error >&2"
    job = submit(acting, token, home, script, output="o-%j-%x", job_name="a b")

    assert read_all(acting, token, job) == b"1\n2\n3\nerror\n"
    assert (home / f"o-{job}-a b").is_file()


def test_output_is_followed_as_events_to_its_end(
    acting: ActingGateway, token: str, home: Path
) -> None:
    job = submit(acting, token, home, "for i in 1 2 3; do echo $i; sleep 1; done")
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}

    with acting.opened("GET", f"/api/v1/jobs/{job}/output", None, headers) as stream:
        told = stream.read().decode()

    data = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: ")]
    assert "".join(each.get("text", "") for each in data) == "1\n2\n3\n"
    assert data[-1] == {"offset": 6, "complete": True}


def test_each_task_of_an_array_has_its_own_output_and_errors(
    acting: ActingGateway, token: str, home: Path
) -> None:
    script = "echo out $SLURM_ARRAY_TASK_ID; echo err $SLURM_ARRAY_TASK_ID >&2"
    plain = submit(acting, token, home, script, array="1-2")
    named = submit(acting, token, home, script, array="1-2", output="n-%A-%3a-%j", error="e-%a-%j")

    for task in ("1", "2"):
        both = read_all(acting, token, plain, f"&task={task}")
        assert both == f"out {task}\nerr {task}\n".encode()
        assert read_all(acting, token, f"{named}_{task}") == f"out {task}\n".encode()
        errors = read_all(acting, token, named, f"&task={task}&stream=err")
        assert errors == f"err {task}\n".encode()
    assert acting.send(token, "GET", f"/api/v1/jobs/{plain}/output").status == 400


# Files


def test_a_file_of_several_megabytes_is_the_same_by_parts_as_whole(
    acting: ActingGateway, token: str, home: Path
) -> None:
    content = os.urandom(5 * MIB + 12_345)
    put(home, "result.bin", content)
    job = submit(acting, token, home, "true")
    path = f"/api/v1/jobs/{job}/files/result.bin"
    whole = acting.send(token, "GET", path)

    def part(begin: int) -> bytes:
        asked = {"Range": f"bytes={begin}-{begin + MIB - 1}", "If_Range": whole.headers["etag"]}
        answer = acting.send(token, "GET", path, **asked)
        assert answer.status == 206
        return answer.body

    with ThreadPoolExecutor(3) as pool:
        parts = [*pool.map(part, range(0, len(content), MIB))]

    assert whole.body == content
    assert b"".join(parts) == content
    digest = acting.send(token, "GET", f"{path}?digest=sha-256").json
    assert digest["sha256"] == sha256(content).hexdigest()
    assert digest["etag"] == whole.headers["etag"]


def test_files_are_listed_as_the_job_left_them(
    acting: ActingGateway, token: str, home: Path
) -> None:
    job = submit(acting, token, home, "mkdir out; echo 1 >out/1.csv; echo 22 >out/2.csv")
    read_all(acting, token, job)

    listed = acting.send(token, "GET", f"/api/v1/jobs/{job}/files?glob=out/*.csv").json

    assert [(each["path"], each["size"]) for each in listed] == [("out/1.csv", 2), ("out/2.csv", 3)]
    assert acting.send(token, "GET", listed[1]["href"]).body == b"22\n"


def test_nothing_outside_of_the_folder_is_had(
    acting: ActingGateway, token: str, home: Path
) -> None:
    folder = home / "run"
    folder.mkdir()
    shutil.chown(folder, ANN)
    put(home, "beside", b"hers, and of no job")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "up").symlink_to("..")
    job = submit(acting, token, folder, "sleep 600")

    for path in ("passwd", "up/beside", "../beside", "%2e%2e/beside", "..%2fbeside"):
        answer = acting.send(token, "GET", f"/api/v1/jobs/{job}/files/{path}")
        assert answer.status == 403, path
        assert answer.json["type"].endswith(":denied")
    assert acting.send(token, "GET", f"/api/v1/jobs/{job}/files?glob=up/*").status == 403


def test_anothers_job_is_as_one_that_is_not_there(
    acting: ActingGateway, acting_site: ActingSite, token: str, home: Path
) -> None:
    put(home, "secret", b"secret")
    job = submit(acting, token, home, "echo secret; sleep 600")
    bobs = acting_site.token(BOB)

    for path in ("output", "files", "files/secret"):
        answer = acting.send(bobs, "GET", f"/api/v1/jobs/{job}/{path}")
        none = acting.send(bobs, "GET", f"/api/v1/jobs/999999/{path}")
        assert (answer.status, none.status) == (404, 404)
        assert answer.json["detail"].replace(job, "999999") == none.json["detail"]


# One job's token


def test_a_token_for_one_job_reads_that_one_until_it_is_revoked(
    acting: ActingGateway, token: str, home: Path
) -> None:
    mine, other = (submit(acting, token, home, "echo $SLURM_JOB_ID") for _ in range(2))
    for job in (mine, other):
        read_all(acting, token, job)
    asked = {"scopes": ["files:read", "output:read"], "ttl": 600}
    made = acting.send(token, "POST", f"/api/v1/jobs/{mine}/tokens", asked)
    assert made.status == 201, made.body
    one = made.json["token"]

    assert read_all(acting, one, mine) == f"{mine}\n".encode()
    assert acting.send(one, "GET", f"/api/v1/jobs/{mine}/files/slurm-{mine}.out").status == 200
    assert acting.send(one, "GET", f"/api/v1/jobs/{other}/output").status == 404
    assert acting.send(one, "GET", f"/api/v1/jobs/{other}/files/slurm-{mine}.out").status == 404
    assert acting.send(one, "GET", "/api/v1/jobs").status == 403
    assert acting.send(one, "DELETE", f"/api/v1/jobs/{mine}").status in (403, 405)
    listed = json.loads(acting.program.run("token", "list", "--json").stdout)
    (shown,) = (each for each in listed if each["id"] == made.json["id"])
    assert shown["job"]["job_id"] == int(mine)
    assert acting.program.run("token", "revoke", made.json["id"]).returncode == 0
    eventually(
        lambda: acting.send(one, "GET", f"/api/v1/jobs/{mine}/output").status == 401,
        "it is refused",
    )


# Large files


def status_of(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def test_a_huge_file_takes_no_more_memory_than_a_small_one(
    acting: ActingGateway, token: str, home: Path
) -> None:
    """Of gigabytes in `make campaign`; eight times of what it may take more, else."""
    put(home, "small", b"x" * 4 * MIB)
    with put(home, "huge", b"").open("r+b") as file:
        file.truncate(HUGE)
    job = submit(acting, token, home, "true")
    headers, base = {"Authorization": f"Bearer {token}"}, f"/api/v1/jobs/{job}/files"
    acting.send(token, "GET", f"{base}/small")
    before = status_of(acting.daemon.process.pid, "VmHWM")

    length, buffer = 0, memoryview(bytearray(MIB))
    with acting.opened("GET", f"{base}/huge", None, headers) as answer:
        while got := answer.readinto(buffer):
            length += got

    assert length == HUGE
    assert status_of(acting.daemon.process.pid, "VmHWM") - before < 32 * 1024


def test_who_goes_away_leaves_no_hand_behind(acting: ActingGateway, token: str, home: Path) -> None:
    with put(home, "huge", b"").open("r+b") as file:
        file.truncate(HUGE)
    job = submit(acting, token, home, "true")
    headers = {"Authorization": f"Bearer {token}"}

    for _ in range(3):
        with acting.opened("GET", f"/api/v1/jobs/{job}/files/huge", None, headers) as answer:
            assert len(answer.read(MIB)) == MIB
            assert children_of(acting.daemon.process.pid)

    eventually(lambda: not children_of(acting.daemon.process.pid), "no hand is left")
    assert acting.get("/healthz").status == 200


def children_of(pid: int) -> list[str]:
    """Processes that any of its threads started."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [child for thread in threads for child in (thread / "children").read_text().split()]
