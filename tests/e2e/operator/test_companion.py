"""The job-companion on a real gateway, hand and Slurm: what it shows, and what it leaves."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from tests.e2e.operator.cow import MIB, PATIENCE_S, Companion, Pasture, put, settle
from tests.fixtures_hand import HandSite
from tests.sandbox.processes import eventually
from tests.trust.size import IS_CAMPAIGN
from waldur_slurm.operator.model.order import ORDER, Order
from waldur_slurm.operator.model.slurm_job import When


@pytest.fixture(scope="module")
def pasture(lab: Cluster, installed_hand: HandSite) -> Iterator[Pasture]:
    with Pasture.opened(lab, installed_hand) as opened:
        yield opened


def test_it_shows_what_comes_and_collects_what_fits(pasture: Pasture, tmp_path: Path) -> None:
    script = "echo moo; until [ -e go ]; do sleep 0.2; done; mkdir out; echo 1 >out/a.csv; echo end"
    cow = pasture.hand_in(script)
    companion = cow.companion(tmp_path / "one", "out/*.csv")

    with companion.running() as process:
        assert eventually(lambda: companion.shown == b"moo\n", PATIENCE_S), companion.said
        put(cow.home, "go", b"")
        assert process.wait(PATIENCE_S) == 0, companion.said

    assert companion.shown == b"moo\nend\n"
    assert companion.claimed() == {"cow/out/a.csv": b"1\n"}
    (file,) = companion.told.files
    assert (file.path, file.sha256) == ("out/a.csv", sha256(b"1\n").hexdigest())


def test_its_standard_output_is_collected_wherever_it_wrote_it(
    pasture: Pasture, tmp_path: Path
) -> None:
    elsewhere = pasture.folder() / "elsewhere.txt"
    cow = pasture.hand_in("echo moo", output=str(elsewhere))
    companion = cow.companion(tmp_path / "one")

    assert companion.run() == 0, companion.said
    assert companion.claimed() == {"cow/elsewhere.txt": b"moo\n"}


def test_of_a_job_that_failed_the_errors_are_shown_and_all_is_collected_where_asked_for(
    pasture: Pasture, tmp_path: Path
) -> None:
    cow = pasture.hand_in("echo moo; echo no grass >&2; exit 3", error="errors.txt")
    companion = cow.companion(tmp_path / "well")

    assert companion.run() == 0
    assert (companion.shown, companion.claimed()) == (b"moo\n", {})
    assert "the job ended: FAILED" in companion.said
    assert "no grass" in companion.said

    companion = cow.companion(tmp_path / "always", "errors.txt", When.ALWAYS)
    assert companion.run() == 0
    assert companion.claimed() == {"cow/errors.txt": b"no grass\n"}


def test_of_an_array_the_files_of_all_tasks_are_collected_once_all_are_over(
    pasture: Pasture, tmp_path: Path
) -> None:
    cow = pasture.hand_in("echo $SLURM_ARRAY_TASK_ID", array="1-2", output="task-%a.out")
    companion = cow.companion(tmp_path / "one", "task-*.out")

    assert companion.run() == 0, companion.said
    assert companion.shown == b""
    assert companion.claimed() == {"cow/task-1.out": b"1\n", "cow/task-2.out": b"2\n"}


def test_killed_while_it_copies_the_next_one_goes_on_there(
    pasture: Pasture, tmp_path: Path
) -> None:
    content = os.urandom(MIB) * 48
    home = pasture.folder()
    put(home, "big.bin", content)
    companion = pasture.hand_in("echo moo", home).companion(tmp_path / "one", "big.bin")

    def part() -> int:
        return sum(each.stat().st_size for each in companion.place.glob("claim/cow/*.partial"))

    with companion.running() as process:
        assert eventually(lambda: part() > 0, PATIENCE_S), companion.said
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)

    for _ in ("what is missing", "nothing more"):
        assert companion.run() == 0, companion.said
        assert companion.claimed() == {"cow/big.bin": content}
        assert companion.told.files[0].sha256 == sha256(content).hexdigest()


def test_a_gateway_that_is_away_is_waited_for(pasture: Pasture, tmp_path: Path) -> None:
    cow = pasture.hand_in("until [ -e go ]; do sleep 0.2; done; echo moo")
    companion = cow.companion(tmp_path / "one")
    pasture.lose_gateway()
    with companion.running() as process:
        assert eventually(lambda: "waiting for the gateway" in companion.said, PATIENCE_S)
        pasture.bring_gateway_back()
        put(cow.home, "go", b"")
        assert process.wait(PATIENCE_S) == 0, companion.said
    assert "the gateway answers again" in companion.said
    assert companion.shown == b"moo\n"


def test_asked_to_stop_it_does_and_a_token_that_was_revoked_ends_it_with_a_sentence(
    pasture: Pasture, tmp_path: Path
) -> None:
    cow = pasture.hand_in("echo moo; sleep 600")
    companion = cow.companion(tmp_path / "one")
    with companion.running() as process:
        assert eventually(lambda: companion.shown == b"moo\n", PATIENCE_S), companion.said
        process.terminate()
        assert process.wait(PATIENCE_S) == 130
    with companion.running() as process:
        made = json.loads(pasture.site.program().run("token", "list", "--json").stdout)
        (ours,) = [each for each in made if re.match(rf"job {cow.job_id}\b", each["name"])]
        pasture.site.program().run("token", "revoke", ours["id"])
        assert process.wait(PATIENCE_S) == 77, companion.said
    assert "the token of this job is not valid any longer" in companion.told.words
    cow.client.cancel(cow.job_id)


def test_nothing_of_another_job_is_had_and_no_link_is_followed(
    pasture: Pasture, tmp_path: Path
) -> None:
    home = pasture.folder()
    put(home, "hers", b"secret")
    cow = pasture.hand_in("ln -s hers link; ln -s /etc way", home)
    for number, pattern in enumerate(("link", "way/passwd", "../hers")):
        companion = cow.companion(tmp_path / str(number), pattern)
        assert companion.run() == 1, companion.said
        assert companion.claimed() == {}
        assert companion.told.words

    other = pasture.hand_in("true", home)
    companion = cow.companion(tmp_path / "other", "hers")
    order = Order(f"http://127.0.0.1:{pasture.acting.port}", other.job_id, "cow", "hers")
    (companion.place / "told" / ORDER).write_text(order.to_text())
    assert companion.run() == 1
    assert companion.claimed() == {}


def test_a_file_is_copied_without_being_held_in_memory(pasture: Pasture, tmp_path: Path) -> None:
    size = (5 * 1024 if IS_CAMPAIGN else 160) * MIB
    home = pasture.folder()
    put(home, "small.bin", b"x")
    with (home / "hole.bin").open("wb") as file:
        file.truncate(size)
    settle(home / "hole.bin")
    cow = pasture.hand_in("true", home)
    used = {
        name: peak_of(cow.companion(tmp_path / name, name)) for name in ("small.bin", "hole.bin")
    }

    assert (tmp_path / "hole.bin" / "claim" / "cow" / "hole.bin").stat().st_size == size
    assert used["hole.bin"] - used["small.bin"] < 16 * MIB, used
    assert used["hole.bin"] < 80 * MIB, used


COUNTS = """\
import resource, subprocess, sys
done = subprocess.run(sys.argv[2:])
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(done.returncode)
"""
"""A child counts what its parent had when it was made: so this one, which has little, makes it."""


def peak_of(companion: Companion) -> int:
    """Run it, and return how much memory it had at most."""
    peak = companion.place / "peak"
    assert companion.run(sys.executable, "-c", COUNTS, str(peak)) == 0, companion.said
    return int(peak.read_text()) * 1024
