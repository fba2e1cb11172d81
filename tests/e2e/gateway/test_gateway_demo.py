"""`make demo FRONT=gateway` as a newcomer meets it: it all happens, and nothing is left."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import readme
from tests.e2e.test_demo import PATIENCE_S, Tour, demo, environ, processes_in, wait_until_empty
from tests.fixtures_slurm import open_directory

pytestmark = pytest.mark.usefixtures("_slurm_is_here")


@pytest.fixture
def place() -> Iterator[Path]:
    directory = open_directory()
    yield directory
    directory.rmdir()


@pytest.fixture(scope="module")
def tour() -> Tour:
    """What somebody sees who types it, without a terminal."""
    place = open_directory()
    (line,) = (line for line in readme.lines("Try it") if "FRONT=gateway" in line)
    make, *words = shlex.split(line, comments=True)
    done = demo(place, make, "--silent", *words)
    left = (*processes_in(place), *(file.name for file in place.iterdir()))
    place.rmdir()
    assert done.returncode == 0, done.stdout + done.stderr
    return Tour(done.stdout, left)


def test_each_front_is_played_with_its_own_words(tour: Tour) -> None:
    titles = re.findall(r"^\d\. (.*)$", tour.shown, re.MULTILINE)

    assert [title.split(":")[0] for title in titles] == [
        "Slurmer's clients", "The gateway's own command line", "Slurm RestAPI's clients",
    ]  # fmt: skip
    assert "jobid<=$JOB" in tour.shown


def test_jobs_of_users_ran_and_what_they_wrote_was_read(tour: Tour) -> None:
    out = tour.shown.partition("$JOB/out\n")[2]
    assert out.split()[0] == "hello"
    assert re.findall(r"^ +(line \d)$", tour.shown, re.MULTILINE) == ["line 1", "line 2", "line 3"]
    assert "Job 2 is COMPLETED" in tour.shown
    assert re.search(r"^ +1 +hello +physics +main +JOB_COMPLETE", tour.shown, re.MULTILINE)


def test_it_says_how_long_it_took_and_names_the_agents(tour: Tour) -> None:
    assert re.search(r"That took \d+ s\.", tour.shown)
    assert "`make demo` is the agent's" in " ".join(tour.shown.split())


def test_it_reads_well_in_80_columns_and_leaves_nothing(tour: Tour) -> None:
    assert max(map(len, tour.shown.splitlines())) <= 80
    assert tour.left == ()


def test_a_site_that_is_kept_is_found_by_its_address_and_ends_when_told(place: Path) -> None:
    done = demo(place, sys.executable, "-m", "sandbox", "demo", "--front", "gateway", "--keep")
    said = " ".join(done.stdout.split())
    stayed = re.search(r"kill (\d+)`", said)
    assert stayed, done.stdout + done.stderr
    try:
        exports = re.search(r"export GATEWAY_URL=\S+ GATEWAY_TOKEN=\S+", said)
        assert exports, said
        assert re.search(r"http://127\.0\.0\.1:\d+/ui ", said)
        asked = 'curl -sS -H "Authorization: Bearer $GATEWAY_TOKEN" $GATEWAY_URL/api/v1/nodes'
        played = subprocess.run(
            ("/bin/sh", "-euc", f"{exports[0]}; {asked}"),
            env=environ(place),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert [node["name"] for node in json.loads(played.stdout)["nodes"]] == ["n1", "n2"]
    finally:
        os.kill(int(stayed[1]), signal.SIGTERM)
    wait_until_empty(place)
