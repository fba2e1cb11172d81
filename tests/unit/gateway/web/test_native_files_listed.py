"""The files of a job's folder, listed: by a glob, bounded, whatever they are called."""

import os

import pytest

from tests.fakes.files import Node
from tests.gateway_client import Answered
from tests.unit.gateway.web.files_site import FILES, WORK, FilesSite, problem
from waldur_slurm.gateway.web.native import files

CONTENT = bytes(range(256)) * 40
HOSTILE = ["..", "../x", "a/../../x", ".", "a/./b", "a//b", "/etc/passwd", "a%2f..%2f..%2fx",
           "%2e%2e/x", "..%2fbob", "a%00b"]  # fmt: skip


@pytest.fixture
def site() -> FilesSite:
    return FilesSite()


def paths(answer: Answered) -> list[str]:
    assert answer.status == 200, answer.text
    return [each["path"] for each in answer.json]


def test_files_are_listed_relative_to_the_folder(site: FilesSite) -> None:
    site.write("result.csv", b"1,2\n")

    answer = site.get(FILES)

    assert answer.json[1] == {
        "path": "result.csv",
        "size": 4,
        "mtime": "2026-11-21T12:00:00Z",
        "href": "/api/v1/jobs/1/files/result.csv",
    }
    assert paths(answer) == ["job.sh", "result.csv"]
    assert answer.headers["x-truncated"] == "false"


def test_a_glob_chooses_and_directories_and_links_are_no_files(site: FilesSite) -> None:
    for name in ("out/1.csv", "out/2.csv", "out/deep/3.csv", "out/x.txt", "4.csv"):
        site.write(name, b"x")
    site.tree.link(f"{WORK}/out/link.csv", "/etc/passwd")

    assert paths(site.get(f"{FILES}?glob=out/*.csv")) == ["out/1.csv", "out/2.csv"]
    assert paths(site.get(f"{FILES}?glob=out/*")) == ["out/1.csv", "out/2.csv", "out/x.txt"]
    assert paths(site.get(f"{FILES}?glob=**/*.csv")) == [
        "4.csv", "out/1.csv", "out/2.csv", "out/deep/3.csv",
    ]  # fmt: skip
    assert paths(site.get(f"{FILES}?glob=none/*.csv")) == []
    assert paths(site.get(f"{FILES}?glob=4.csv/*")) == []
    assert paths(site.get(f"{FILES}?glob=out/1.csv")) == ["out/1.csv"]


@pytest.mark.parametrize("glob", ["../*", "/etc/*", "out/../../*", "", "%00"])
def test_a_glob_that_leads_elsewhere_is_refused(site: FilesSite, glob: str) -> None:
    assert problem(site.get(f"{FILES}?glob={glob}")) == (400, "wrong-ask")


def test_a_glob_through_a_link_is_refused(site: FilesSite) -> None:
    site.tree.link(f"{WORK}/etc", "/etc")

    assert problem(site.get(f"{FILES}?glob=etc/*")) == (403, "denied")


def test_a_list_that_was_cut_says_so(site: FilesSite, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        site.write(f"{number}.csv", b"x")

    cut = site.get(f"{FILES}?limit=2&glob=*.csv")
    monkeypatch.setattr(files, "MOST_LOOKED_AT", 3)
    bounded = site.get(FILES)

    assert (paths(cut), cut.headers["x-truncated"]) == (["0.csv", "1.csv"], "true")
    assert (paths(bounded), bounded.headers["x-truncated"]) == (["0.csv", "1.csv", "2.csv"], "true")


def test_a_name_that_is_no_utf_8_is_listed_and_had_by_its_href(site: FilesSite) -> None:
    site.write("caf\udcff\n%41", b"coffee")

    (listed,) = site.get(f"{FILES}?glob=caf*").json

    assert listed["path"] == "caf\ufffd\n%41"
    assert listed["href"] == "/api/v1/jobs/1/files/caf%FF%0A%2541"
    answer = site.get(listed["href"])
    assert answer.body == b"coffee"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"caf___41\"; filename*=UTF-8''caf%FF%0A%2541"
    )


def test_a_job_of_the_past_still_has_its_folder(site: FilesSite) -> None:
    site.remember(5)

    assert paths(site.get("/api/v1/jobs/5/files")) == ["job.sh"]
    assert site.get("/api/v1/jobs/5/files/job.sh").body == b"#!/bin/sh\n"


def test_of_another_cluster_and_of_the_named_one(site: FilesSite) -> None:
    assert site.get("/api/v1/clusters/lab/jobs/1/files/job.sh").body == b"#!/bin/sh\n"
    assert problem(site.get("/api/v1/clusters/other/jobs/1/files/job.sh")) == (404, "not-there")


def write(site: FilesSite, name: str, content: bytes) -> Node:
    path = site.write(name, content)
    return site.tree.nodes[tuple(os.fsencode(part) for part in path[1:].split("/"))]
