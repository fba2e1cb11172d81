"""Text that users wrote, through the whole gateway: it breaks no row, and is nobody else's job.

Hostile names are handed to a real Slurm; what comes back by each way that jobs are told is compared
with what was handed in.
"""

import csv
import io
import json
import os
import subprocess
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.gateway import Gateway
from tests.e2e.gateway.watching import WatchGateway, watch_site
from tests.e2e.program import eventually
from tests.trust.size import count
from waldur_slurm.model.batch import JobId

NAMES = (
    b"plain",
    b"a|b|RUNNING|root",
    b"line\nbreak",
    b"x\n99999|RUNNING|root|physics|main",
    b"id: 7\nevent: turned\ndata: {}\n\n",
    b"\r\n\r\ndata: forged\r\n",
    b"tab\there\x1f\x1e",
    b'"quoted",\'\\"; =1+1',
    b"</script><b>&amp;",
    b"\xff\xfe not text \xe9",
    "žlutý 🐎 \u2028 \u202e".encode(),
    b"%s %n {0} ${HOME} `id`",
)


SIGNS = ("|", "~", "\x1f", "\t", " ", ",", ";", "=")
"""By which Slurm's own tools, or programs that read them, tell what is what."""


def submit_raw(lab: Cluster, user: str, name: bytes, *options: str) -> int:
    """Hand a job in with bytes for its name and comment."""
    told = ("sbatch", "--parsable", f"--uid={user}", "--account=physics", *options)
    argv = [os.fsencode(part) for part in told]
    argv += [b"--job-name=" + name, b"--comment=" + name, b"--output=/dev/null", b"--chdir=/tmp"]
    done = subprocess.run(
        [*argv, b"--wrap=true"],
        env={"PATH": os.defpath, **lab.environ},
        capture_output=True,
        check=True,
    )
    count("hostile text given to Slurm")
    return int(done.stdout.split(b";")[0])


@pytest.fixture(scope="module", autouse=True)
def nothing_left(lab: Cluster, slurm_users: tuple[str, ...]) -> Iterator[None]:
    """Leave the queue empty, since other tests of this Slurm wait until it is."""
    yield
    for user in slurm_users:
        lab.must("scancel", f"--user={user}")


@pytest.fixture(scope="module")
def owners(lab: Cluster, slurm_users: tuple[str, ...]) -> dict[str, tuple[str, bytes]]:
    """Jobs of hostile names by their numbers, with whose they are."""
    made = {}
    for place, name in enumerate(NAMES):
        user = slurm_users[place % 2]
        made[str(submit_raw(lab, user, name, "--hold"))] = (user, name)
    return made


def test_the_listing_holds_exactly_the_jobs_there_are(
    gateway: Gateway, lab: Cluster, owners: dict[str, tuple[str, bytes]]
) -> None:
    answer = gateway.get("/api/v1/jobs?limit=0").json
    bare = lab.must("squeue", "--noheader", "--all", "--states=all", "--format=%i %u").splitlines()

    assert answer["unreadable"] == 0
    assert sorted(f"{job['job_id']} {job['user']}" for job in answer["jobs"]) == sorted(bare)
    listed = {job["job_id"]: job for job in answer["jobs"]}
    for number, (user, name) in owners.items():
        assert listed[number]["user"] == user
        assert (listed[number]["account"], listed[number]["phase"]) == ("physics", "pending")
        text = name.decode(errors="backslashreplace")
        assert (listed[number]["name"], listed[number]["comment"]) == (text, text)


def test_history_tells_of_ended_ones_alike_in_json_csv_and_lines(
    gateway: Gateway, lab: Cluster, owners: dict[str, tuple[str, bytes]]
) -> None:
    """None of them is held first: the accounting may hear of that last, and then shows no end."""
    ran = {str(submit_raw(lab, user, name)): user for user, name in owners.values()}
    path = f"/api/v1/history?job_id={','.join(ran)}&limit=1000"

    def rows() -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(gateway.get(path, Accept="text/csv").body.decode())))

    def are_over() -> bool:
        ended = [job for job in gateway.get(path).json["jobs"] if job["terminal"]]
        return len(ended) == len(ran)

    eventually(are_over, "all have ended", 60)
    page = {job["job_id"]: job["user"] for job in gateway.get(path).json["jobs"]}
    lines = gateway.get(path, Accept="application/x-ndjson").body.splitlines()

    assert page == ran
    assert {row["job_id"]: row["user"] for row in rows()} == ran
    assert {job["job_id"]: job["user"] for job in map(json.loads, lines)} == ran


def test_no_name_forges_an_event(
    gateway: Gateway, lab: Cluster, slurm_users: tuple[str, ...]
) -> None:
    forging = b'id: 7\nevent: turned\ndata: {"job_id":"1"}\n\n'
    with gateway.opened("GET", "/api/v1/events") as stream:
        number = submit_raw(lab, slurm_users[0], forging, "--hold")
        submit_raw(lab, slurm_users[1], b"the last one", "--hold")
        seen = [*events(stream, 2)]
    numbers = [int(event["id"]) for event in seen]

    assert numbers == sorted(numbers)
    assert {json.loads(event["data"])["user"] for event in seen} == set(slurm_users[:2])
    assert str(number) in {json.loads(event["data"])["job_id"] for event in seen}
    assert {event["event"] for event in seen} == {"came"}


def events(stream: HTTPResponse, most: int) -> Iterator[dict[str, str]]:
    """Read as the standard says, until so many jobs have come."""
    event: dict[str, str] = {}
    while most:
        line = stream.readline().decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "data" in event:
            if event["event"] == "came":
                yield event
                most -= 1
            event = {}
        else:
            event = {}


def forged_end(sign: str, job: JobId, user: str) -> bytes:
    """Write what could be read as a row that says that somebody's job has ended well."""
    row = (str(job), user, "COMPLETED", "0:0", str(job), "physics", "main", "COMPLETED")
    return f"x\n{sign.join(row)}\n{sign.join(row[2:])}{sign}\nJobState=COMPLETED\n".encode()


def test_a_forged_end_of_anothers_job_sends_no_letter(
    lab: Cluster, lab_tools: Path, tmp_path: Path, slurm_users: tuple[str, ...]
) -> None:
    ann, bob = slurm_users[:2]
    with watch_site(lab, lab_tools, tmp_path) as site, site.running() as gateway:
        hers = site.submit("sleep 600", "--hold")
        watched = gateway.watch(hers, site.ways)
        his = [submit_raw(lab, bob, forged_end(sign, hers, ann), "--hold") for sign in SIGNS]
        own = [gateway.watch(JobId(number), site.ways) for number in his]
        lab.must("scancel", *map(str, his))
        eventually(lambda: stages(gateway, own) == {"ended"}, "those that forge have ended", 90)
        told = [letter for each in own for letter in gateway.letters_of(each)]

        assert {letter["job_id"] for letter in told} == {*map(str, his)}
        assert stages(gateway, [watched]) == {"watching"}
        assert (gateway.letters_of(watched), site.mails(hers)) == ([], [])
        lab.must("scancel", str(hers))
        eventually(lambda: len(site.mails(hers)) == 1, "it is told of as it ended", 90)
        assert "CANCELLED" in site.mails(hers)[0]


def stages(gateway: WatchGateway, monitors: list[str]) -> set[str]:
    return {gateway.monitor(each)["stage"] for each in monitors}


def test_no_name_of_a_users_making_is_in_the_metrics(
    gateway: Gateway, owners: dict[str, tuple[str, bytes]]
) -> None:
    gateway.get("/api/v1/jobs")
    page = gateway.get("/metrics").body

    assert b"slurm_jobs" in page
    for _, name in owners.values():
        if name != b"plain":
            assert name not in page
    assert all(line.startswith(b"#") or b" " in line for line in page.splitlines() if line)
