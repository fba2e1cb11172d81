"""Slurmer's clients, unchanged, before a gateway that is set up as its document says."""

import io
import json
import stat
import subprocess
import time
import warnings
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pwd import getpwnam

import pytest

from tests.acting import acting_as
from tests.e2e.gateway.gateway import listings_asked
from tests.e2e.gateway.slurmer_site import APP, CONFIG, TOKEN, Slurmer, SlurmerSite
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, BOB


@pytest.fixture
def slurmer(slurmer_site: SlurmerSite) -> Iterator[Slurmer]:
    with slurmer_site.running() as started:
        yield started


def test_a_job_of_the_documents_set_up_runs_and_shows_its_output(slurmer: Slurmer) -> None:
    job = slurmer.new_job(args=["it's", "`here`"])

    assert slurmer.status(job) == "stopped"
    started = slurmer.send("PUT", f"{job}/start")
    assert started.status == 204, started.headers
    eventually(lambda: slurmer.status(job) == "stopped", "the job has ended")

    out = slurmer.send("GET", f"{job}/out")
    assert (out.status, out.body) == (200, b"it's `here`\n")


def test_what_is_made_for_a_user_is_his_and_nobody_elses(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    job = slurmer.new_job()
    place = slurmer_site.directory(job.rpartition("/")[2])
    ann = getpwnam(ANN)

    for path, kind in ((place, 0o700), (place / "batch.sh", 0o600)):
        found = path.stat()
        assert (found.st_uid, found.st_gid) == (ann.pw_uid, ann.pw_gid)
        assert stat.S_IMODE(found.st_mode) == kind


def test_others_pass_through_the_working_directory_and_see_nothing_of_it(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    """Bob tries to list, to read and to enter whatever there is."""
    slurmer.new_job()
    root = slurmer_site.working
    bob = getpwnam(BOB).pw_uid
    paths = [root, *root.rglob("*")]

    seen = []
    with acting_as(bob):
        for path in paths:
            try:
                seen.append([*path.iterdir()] if path.is_dir() else path.read_bytes())
            except PermissionError:
                continue
    assert len(paths) > 8
    assert seen == []


def test_another_users_job_is_not_there_for_him(slurmer: Slurmer) -> None:
    job = slurmer.new_job(user=ANN)

    assert slurmer.send("GET", f"/apps/{APP}/jobs", user=BOB).json == []
    for method, path in (
        ("GET", job),
        ("DELETE", job),
        ("GET", f"{job}/batch"),
        ("GET", f"{job}/out"),
        ("GET", f"{job}/files"),
        ("PUT", f"{job}/prune"),
        ("PUT", f"{job}/start"),
        ("PUT", f"{job}/stop"),
    ):
        answer = slurmer.send(method, path, user=BOB)
        assert (answer.status, answer.body) == (404, b"Not Found\n"), (method, path)
    assert slurmer.status(job) == "stopped"


@pytest.mark.parametrize("user", ["root", "0", "1000", "--uid=0", "a b", "wsat-ann\tx", "../x"])
def test_a_name_that_is_nobody_is_refused_and_leaves_nothing(
    slurmer: Slurmer, slurmer_site: SlurmerSite, user: str
) -> None:
    answer = slurmer.send("POST", f"/apps/{APP}/jobs", {"command": "true"}, user=user)

    assert (answer.status, answer.body) == (403, b"Forbidden\n")
    assert [*slurmer_site.directory("").iterdir()] == []


def test_a_job_that_is_started_again_is_a_run_of_its_own(slurmer: Slurmer) -> None:
    job = slurmer.new_job(command="sh", args=["-c", "echo $SLURM_JOB_ID"])
    seen = []
    for _ in range(2):
        assert slurmer.send("PUT", f"{job}/status", "started").body == b'"started"\n'
        eventually(lambda: slurmer.status(job) == "stopped", "the job has ended")
        number = slurmer.send("GET", job).json["slurm_id"]
        assert slurmer.send("GET", f"{job}/out").body == f"{number}\n".encode()
        seen.append(number)

    assert seen[0] < seen[1]


def test_two_changes_of_one_job_at_once_are_one_and_a_conflict(slurmer: Slurmer) -> None:
    """Another job is never held up, and the one is free again."""
    job, other = (slurmer.new_job(command="sleep", args=["300"]) for _ in range(2))
    with ThreadPoolExecutor(6) as pool:
        each = [pool.submit(slurmer.send, "PUT", f"{job}/status", "started") for _ in range(5)]
        beside = pool.submit(slurmer.send, "PUT", f"{other}/status", "started")
        statuses = sorted(answer.result().status for answer in each)

    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert beside.result().status == 200
    assert slurmer.send("PUT", f"{job}/status", "started").status == 200
    ids = {slurmer.send("GET", path).json["slurm_id"] for path in (job, other)}
    listed = slurmer_jobs(slurmer)
    assert set(listed) == ids
    assert len(listed) == 2
    for path in (job, other):
        assert slurmer.send("DELETE", path).status == 200
        assert slurmer.send("DELETE", path).status == 404


def slurmer_jobs(slurmer: Slurmer) -> list[int]:
    """What Slurm has that is not over."""
    environ = {"SLURM_CONF": slurmer.program.environ["SLURM_CONF"], "PATH": "/usr/bin:/bin"}
    argv = ["squeue", "--noheader", "--all", "--format=%A", f"--user={ANN}"]
    said = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True)
    return [int(line) for line in said.stdout.split()]


def test_a_started_job_is_pruned_by_force_alone_and_keeps_its_script(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    job = slurmer.new_job(command="sleep", args=["300"])
    place = slurmer_site.directory(job.rpartition("/")[2])
    slurmer.send("PUT", f"{job}/start")
    eventually(lambda: (place / f"slurm-{slurmer_jobs(slurmer)[0]}.out").exists(), "it runs")

    assert slurmer.send("PUT", f"{job}/prune").body == b"Conflict\n"
    assert slurmer.send("PUT", f"{job}/prune?force").status == 204
    assert [path.name for path in place.iterdir()] == ["batch.sh"]
    assert slurmer.send("DELETE", job).status == 200
    assert not place.exists()


def test_the_file_is_never_written_and_its_tokens_are_kept_as_hmacs(
    slurmer_site: SlurmerSite,
) -> None:
    """A token that leaves the file opens nothing any more, and the others do."""
    for _ in range(2):
        with slurmer_site.running() as slurmer:
            before = slurmer_site.config.read_bytes()
            assert slurmer.send("GET", f"/apps/{APP}/jobs").status == 200
            assert slurmer_site.config.read_bytes() == before
    state = b"".join(path.read_bytes() for path in (slurmer_site.working / "gateway").iterdir())
    assert TOKEN.encode() not in state + (slurmer_site.working / "slurmer.log").read_bytes()

    with slurmer_site.running(CONFIG.replace(TOKEN, "another one, that is long")) as slurmer:
        assert slurmer.send("GET", f"/apps/{APP}/jobs").body == b"Forbidden\n"
        again = slurmer.send("GET", f"/apps/{APP}/jobs", token="another one, that is long")
        assert again.status == 200


def archive(*members: zipfile.ZipInfo | tuple[str, bytes]) -> bytes:
    """Make an upload of one part, as a browser sends it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for member in members:
            name, content = member if isinstance(member, tuple) else (member, b"/etc/passwd")
            made.writestr(name, content)
    return multipart(buffer.getvalue())


def multipart(content: bytes) -> bytes:
    head = (
        b'--X\r\nContent-Disposition: form-data; name="job_dir"; filename="a.zip"\r\n'
        b"Content-Type: application/zip\r\n\r\n"
    )
    return head + content + b"\r\n--X--\r\n"


def special(mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("special")
    info.create_system, info.external_attr = 3, mode << 16
    return info


def doubled() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return archive(("good", b"1"), ("twice", b"1"), ("twice", b"2"))


UNSOUND = {
    "up": archive(("good", b"1"), ("../up", b"2")),
    "absolute": archive(("good", b"1"), ("/etc/absolute", b"2")),
    "link": archive(("good", b"1"), special(stat.S_IFLNK | 0o777)),
    "device": archive(("good", b"1"), special(stat.S_IFCHR | 0o666)),
    "fifo": archive(("good", b"1"), special(stat.S_IFIFO | 0o666)),
    "bomb": archive(("good", b"1"), ("bomb", b"\0" * 64 * 1024**2)),
    "duplicate": doubled(),
    "backslash": archive(("good", b"1"), ("a\\b", b"2")),
    "cut off": archive(("good", b"1" * 1000))[:-30],
    "no archive": multipart(b"this is no zip"),
}


@pytest.mark.parametrize("kind", UNSOUND)
def test_an_archive_that_is_not_sound_leaves_nothing_behind(
    slurmer: Slurmer, slurmer_site: SlurmerSite, kind: str
) -> None:
    job = slurmer.new_job()
    place = slurmer_site.directory(job.rpartition("/")[2])
    headers = {"Content_Type": "multipart/form-data; boundary=X"}

    answer = slurmer.send("POST", f"{job}/files", UNSOUND[kind], **headers)

    assert (answer.status, answer.body) == (400, b"Bad Request\n"), answer.headers
    assert [path.name for path in place.iterdir()] == ["batch.sh"]
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_what_is_uploaded_is_the_users(slurmer: Slurmer, slurmer_site: SlurmerSite) -> None:
    job = slurmer.new_job()
    place = slurmer_site.directory(job.rpartition("/")[2])
    headers = {"Content_Type": "multipart/form-data; boundary=X"}
    sent = archive(("in/put.txt", b"42"), ("batch.sh", b"#!/bin/sh\ncat in/put.txt\n"))

    assert slurmer.send("POST", f"{job}/files", sent, **headers).status == 200
    assert {path.stat().st_uid for path in place.rglob("*")} == {getpwnam(ANN).pw_uid}
    slurmer.send("PUT", f"{job}/start")
    eventually(lambda: slurmer.status(job) == "stopped", "the job has ended")
    assert slurmer.send("GET", f"{job}/out").body == b"42"


def test_a_link_to_what_the_user_may_not_read_is_in_no_archive(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    job = slurmer.new_job()
    place = slurmer_site.directory(job.rpartition("/")[2])
    (place / "config.yml").symlink_to(slurmer_site.config)
    (place / "etc").symlink_to("/etc")

    answer = slurmer.send("GET", f"{job}/files")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as had:
        assert had.namelist() == ["batch.sh"]


def test_many_who_poll_cost_one_listing_in_an_interval(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    jobs = [slurmer.new_job(command="sleep", args=["300"]) for _ in range(4)]
    for job in jobs:
        assert slurmer.send("PUT", f"{job}/start").status == 204
    before, began = listings_asked(slurmer_site.acting.lab), time.monotonic()
    for _ in range(20):
        for job in jobs:
            assert slurmer.status(job) == "started"
        assert len(slurmer.send("GET", f"/apps/{APP}/jobs").json) == 4
    asked = listings_asked(slurmer_site.acting.lab) - before

    assert asked <= 3 + (time.monotonic() - began)
    for job in jobs:
        slurmer.send("DELETE", job)


def test_output_and_runs_outlive_the_gateway_and_its_log_goes_on(
    slurmer_site: SlurmerSite,
) -> None:
    log = slurmer_site.working / "slurmer.log"
    with slurmer_site.running() as slurmer:
        job = slurmer.new_job()
        slurmer.send("PUT", f"{job}/start")
        eventually(lambda: slurmer.status(job) == "stopped", "the job has ended")
        shown = slurmer.send("GET", job).json
    first = log.read_text()

    with slurmer_site.running() as slurmer:
        assert slurmer.send("GET", job).json == shown
        assert slurmer.send("GET", f"{job}/out").body == b"hello\n"
    lines = log.read_text()
    assert lines.startswith(first)
    assert len(lines) > len(first)
    assert {json.loads(line)["level"] for line in lines.splitlines()} >= {"debug", "info"}
    assert log.stat().st_mode & 0o077 == 0
