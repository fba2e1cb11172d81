"""Each file that a request makes, or has made, is its user's: owner, group and mode.

Whatever is left where users have nothing is the gateway's alone.
"""

import io
import stat
import zipfile
from collections.abc import Iterator
from grp import getgrgid
from pathlib import Path
from pwd import getpwnam

import pytest

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.slurmer_site import APP, Slurmer, SlurmerSite
from tests.e2e.gateway.test_slurmer import archive
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, CALLER

Facts = tuple[str, str, str]


@pytest.fixture
def slurmer(slurmer_site: SlurmerSite) -> Iterator[Slurmer]:
    with slurmer_site.running() as started:
        yield started


def below(place: Path) -> dict[str, Facts]:
    """Tell of all that is there: owner, group, kind and mode."""
    paths = (place, *place.rglob("*"))
    return {str(path.relative_to(place)): facts_of(path) for path in paths}


def facts_of(path: Path) -> Facts:
    return path.owner(), path.group(), stat.filemode(path.lstat().st_mode)


def hers(mode: str) -> Facts:
    return ANN, getgrgid(getpwnam(ANN).pw_gid).gr_name, mode


def test_what_slurmers_routes_make_is_the_users(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    job = slurmer.new_job(command="sh", args=["-c", "mkdir made; echo 1 >made/f"])
    place = slurmer_site.directory(job.rpartition("/")[2])
    sent = archive(("in/put", b"42"))
    headers = {"Content_Type": "multipart/form-data; boundary=X"}
    assert slurmer.send("POST", f"{job}/files", sent, **headers).status == 200
    assert slurmer.send("PUT", f"{job}/start").status == 204
    eventually(lambda: slurmer.status(job) == "stopped", "the job has ended")

    found = below(place)
    number = slurmer.send("GET", job).json["slurm_id"]
    assert found == {
        ".": hers("drwx------"),
        "batch.sh": hers("-rw-------"),
        "in": hers("drwxr-xr-x"),
        "in/put": hers("-rw-r--r--"),
        f"slurm-{number}.out": hers("-rw-r--r--"),
        "made": hers("drwxr-xr-x"),
        "made/f": hers("-rw-r--r--"),
    }


def test_what_the_native_routes_of_apps_make_is_the_users(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    native = Slurmer(slurmer.program, slurmer.daemon, slurmer.port - 2)
    jobs = f"/api/v1/apps/{APP}/jobs"
    wanted = {"user": ANN, "parameters": {"command": "true"}}
    made = native.send("POST", jobs, wanted)
    assert made.status == 201, made.body
    job = f"{jobs}/{made.json['id']}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("zip/packed", b"x")
    for method, path, content, kind in (
        ("PUT", f"{job}/files/one", b"1", "application/octet-stream"),
        ("POST", f"{job}/archive", packed.getvalue(), "application/zip"),
    ):
        answer = native.send(method, f"{path}?user={ANN}", content, Content_Type=kind)
        assert answer.status in (200, 201, 204), answer.body

    assert below(slurmer_site.directory(made.json["id"])) == {
        ".": hers("drwx------"),
        "batch.sh": hers("-rw-------"),
        "one": hers("-rw-r--r--"),
        "zip": hers("drwxr-xr-x"),
        "zip/packed": hers("-rw-r--r--"),
    }


def test_what_a_job_of_ones_own_writes_is_the_users(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    home, token = acting_site.hand.home(ANN), acting_site.token(ANN)
    options = {"account": "physics", "mem": 10, "chdir": str(home), "output": "out", "error": "err"}
    made = acting.send(
        token,
        "POST",
        "/api/v1/jobs",
        {"user": ANN, "script": "#!/bin/sh\nmkdir d; echo 1 >d/f\n", "options": options},
    )
    assert made.status == 201, made.body
    eventually(lambda: (home / "d" / "f").exists(), "the job has written")

    assert below(home) == {
        ".": hers("drwx------"),
        "out": hers("-rw-r--r--"),
        "err": hers("-rw-r--r--"),
        "d": hers("drwxr-xr-x"),
        "d/f": hers("-rw-r--r--"),
    }


def test_what_is_the_gateways_is_its_alone(slurmer: Slurmer, slurmer_site: SlurmerSite) -> None:
    """Users pass through some of its directories, or make theirs there, and list none of them."""
    slurmer.new_job()
    for top in (slurmer_site.working, slurmer_site.etc):
        for path in (top, *top.rglob("*")):
            if path.owner() != ANN:
                mode = path.lstat().st_mode
                assert path.owner() == CALLER, path
                assert mode & 0o044 == 0, (path, stat.filemode(mode))
                assert not mode & 0o022 or mode & stat.S_ISVTX, (path, stat.filemode(mode))
                assert stat.S_ISDIR(mode) or mode & 0o077 == 0, (path, stat.filemode(mode))
