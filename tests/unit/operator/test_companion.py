"""A companion shows what a job writes, and copies its files: whole, once, and nowhere else."""

import hashlib
import os
from pathlib import Path

import pytest

from tests.fakes.job_source import BADLY, RUNNING, WELL, FakeSource
from waldur_slurm.operator.companion.claim import Claim
from waldur_slurm.operator.companion.collect import Collector
from waldur_slurm.operator.companion.errors import CompanionError, TokenEnded
from waldur_slurm.operator.companion.following import MUCH
from waldur_slurm.operator.companion.port import JobNow
from waldur_slurm.operator.companion.program import Places, serve
from waldur_slurm.operator.model.collected import (
    COLLECTED,
    FAILED,
    TOKEN_ENDED,
    Collected,
    CollectedFile,
    read_message,
)
from waldur_slurm.operator.model.order import Order
from waldur_slurm.operator.model.slurm_job import When

CSV = b"a,b\n1,2\n"
LONG = bytes(range(256)) * 64


class Killed(BaseException):
    """As kill -9: nothing of ours runs any more."""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "claim").mkdir()
    return Places(tmp_path, tmp_path / "claim", tmp_path / "last-words")


def serve_one(
    source: FakeSource, places: Places, pattern: str = "", when: When = When.SUCCEEDED
) -> int:
    return serve(source, Order("http://gw", "7", "cow", pattern, when), places)


def told(places: Places) -> Collected:
    said = read_message(places.message.read_text())
    assert said
    return said


def claimed(places: Places) -> dict[str, bytes]:
    """All that is in the claim, by its path there."""
    found = (path for path in places.into.rglob("*") if not path.is_dir())
    return {str(path.relative_to(places.into)): path.read_bytes() for path in found}


def partials(places: Places) -> list[str]:
    return [path for path in claimed(places) if path.endswith(".partial")]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# What the job writes


def test_output_is_shown_as_it_comes_and_to_its_end(
    places: Places, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    source = FakeSource([RUNNING, RUNNING, WELL], written={"out": b"moo moo moo", "err": b"bad"})

    assert serve_one(source, places, "*") == FAILED  # there is no file, which is said

    shown = capfdbinary.readouterr()
    assert shown.out == b"moo moo moo"
    assert b"bad" not in shown.err


def test_of_a_job_that_failed_its_errors_are_shown_too(
    places: Places, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    ended = JobNow("FAILED", is_over=True, is_well=False, stdout="/a/out", stderr="/a/err")
    source = FakeSource([RUNNING, ended], written={"out": b"moo", "err": b"no grass"})

    assert serve_one(source, places, "*") == COLLECTED

    shown = capfdbinary.readouterr()
    assert shown.out == b"moo"
    assert b"job-companion: the job ended: FAILED\nno grass" in shown.err
    assert claimed(places) == {}
    assert told(places).words == (
        "nothing is collected of a job that ended FAILED: results.when is Succeeded"
    )


def test_output_that_cannot_be_had_stops_no_results(
    places: Places, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    source = FakeSource([RUNNING, WELL], {"a.csv": CSV}, written={"out": None})

    assert serve_one(source, places, "*.csv") == COLLECTED
    assert claimed(places) == {"cow/a.csv": CSV}
    assert b"its output cannot be shown: nothing is kept of it" in capfdbinary.readouterr().err


def test_of_an_array_it_is_said_what_to_name(places: Places) -> None:
    array = JobNow("COMPLETED", is_over=True, is_well=True, is_array=True)

    assert serve_one(FakeSource([array]), places) == FAILED
    assert "such as slurm-7_*.out" in told(places).words


def test_much_that_was_written_is_shown_without_a_pause(places: Places) -> None:
    out = b"moo\n" * 4 * MUCH
    source = FakeSource([RUNNING] * 2 + [WELL], {"a.csv": CSV}, written={"out": out}, piece=MUCH)
    serve_one(source, places, "a.csv")

    assert source.waited == [2, 4]


def test_a_quiet_job_is_looked_at_ever_more_rarely(places: Places) -> None:
    source = FakeSource([RUNNING] * 7 + [WELL], {"a.csv": CSV}, written={"out": b"moo"})
    serve_one(source, places, "a.csv")

    assert source.waited == [1, 2, 4, 8, 10, 10, 10]


# What is collected


def test_files_that_fit_are_copied_to_where_they_lay_below_the_jobs_folder(places: Places) -> None:
    source = FakeSource(files={"out/a.csv": CSV, "out/b.csv": b"", "c.txt": b"no"})

    assert serve_one(source, places, "out/*.csv") == COLLECTED
    assert claimed(places) == {"cow/out/a.csv": CSV, "cow/out/b.csv": b""}
    assert told(places) == Collected(
        (
            CollectedFile("out/a.csv", len(CSV), sha(CSV)),
            CollectedFile("out/b.csv", 0, sha(b"")),
        ),
        count=2,
        size=len(CSV),
    )


def test_without_a_path_its_standard_output_is_collected_under_its_own_name(
    places: Places,
) -> None:
    ended = JobNow("COMPLETED", is_over=True, is_well=True, stdout="/home/ann/slurm-7.out")

    assert serve_one(FakeSource([ended], written={"out": b"moo"}), places) == COLLECTED
    assert claimed(places) == {"cow/slurm-7.out": b"moo"}


def test_a_job_that_failed_is_collected_where_that_is_asked_for(places: Places) -> None:
    source = FakeSource([BADLY], {"a.csv": CSV})

    assert serve_one(source, places, "a.csv", When.ALWAYS) == COLLECTED
    assert claimed(places) == {"cow/a.csv": CSV}


def test_done_again_nothing_is_copied_twice(places: Places) -> None:
    source = FakeSource(files={"a.csv": CSV, "b.bin": LONG})
    serve_one(source, places, "*.*")
    first = told(places)
    source.sent.clear()

    assert serve_one(source, places, "*.*") == COLLECTED
    assert told(places) == first
    assert source.sent == {}


def test_killed_by_half_another_one_goes_on_there_and_it_is_once_whole(places: Places) -> None:
    source = FakeSource(files={"a.csv": CSV, "b.bin": LONG}, cut=Killed())
    with pytest.raises(Killed):
        serve_one(source, places, "b.bin")
    assert [*claimed(places)] == partials(places)

    assert serve_one(source, places, "b.bin") == COLLECTED
    assert claimed(places) == {"cow/b.bin": LONG}
    assert source.sent["b.bin"] == len(LONG)


def test_what_a_former_version_left_is_taken_for_no_part_of_the_new_one(places: Places) -> None:
    source = FakeSource(files={"b.bin": LONG}, cut=Killed())
    with pytest.raises(Killed):
        serve_one(source, places, "b.bin")
    source.files["b.bin"] = b"another" * 5000

    assert serve_one(source, places, "b.bin") == COLLECTED
    assert claimed(places) == {"cow/b.bin": b"another" * 5000}


@pytest.mark.parametrize("spoilt", [b"\0" * 100, LONG + LONG])
def test_a_partial_that_the_disk_spoilt_is_not_kept(places: Places, spoilt: bytes) -> None:
    source = FakeSource(files={"b.bin": LONG}, cut=Killed())
    with pytest.raises(Killed):
        serve_one(source, places, "b.bin")
    (partial,) = partials(places)
    (places.into / partial).write_bytes(spoilt)

    assert serve_one(source, places, "b.bin") == COLLECTED
    assert claimed(places) == {"cow/b.bin": LONG}


def test_a_file_that_changed_while_it_was_copied_is_begun_anew(places: Places) -> None:
    source = FakeSource(files={"b.bin": LONG})
    changes = iter([b"1" * 5000])

    def change(path: str) -> None:
        source.files[path] = next(changes, source.files[path])

    source.meanwhile = change

    assert serve_one(source, places, "b.bin") == COLLECTED
    assert claimed(places) == {"cow/b.bin": b"1" * 5000}


def test_of_a_file_that_goes_on_changing_that_is_said_and_nothing_is_left(places: Places) -> None:
    source = FakeSource(files={"b.bin": LONG, "a.csv": CSV})
    source.meanwhile = lambda _path: source.files.update({"b.bin": os.urandom(5000)})

    assert serve_one(source, places, "*.*") == FAILED
    assert told(places).words == (
        "1 of 2 files were not collected; b.bin: it changed while it was copied"
    )
    assert claimed(places) == {"cow/a.csv": CSV}


def test_a_file_that_was_changed_just_now_is_waited_for(places: Places) -> None:
    source, slept = FakeSource(files={"a.csv": CSV}, unsettled=2), list[float]()
    told = Collector(source, Claim(places.into, "cow"), slept.append).collect("a.csv", WELL, "7")

    assert (told.count, told.words, len(slept)) == (1, "", 2)
    source.unsettled = 1000
    told = Collector(source, Claim(places.into, "cow"), slept.append).collect("a.csv", WELL, "7")
    assert told.words == "a.csv: it goes on changing though the job is over"


# What is refused


@pytest.mark.parametrize("name", ["../a.csv", "x/../../a.csv", "/a.csv", "x//a.csv", "./a.csv"])
def test_a_name_that_leads_elsewhere_is_refused_and_the_rest_collected(
    places: Places, name: str
) -> None:
    source = FakeSource(files={"a.csv": CSV}, listed={name: "a.csv"})

    assert serve_one(source, places, "*a.csv") == FAILED
    assert "does not lead down from the job's folder" in told(places).words
    assert claimed(places) == {"cow/a.csv": CSV}
    assert [*places.into.parent.glob("a.csv")] == []


@pytest.mark.parametrize("link", ["cow", "cow/out", "cow/out/a.csv"])
def test_no_link_in_the_claim_is_followed(places: Places, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (places.into / link).parent.mkdir(parents=True, exist_ok=True)
    (places.into / link).symlink_to(outside)

    assert serve_one(FakeSource(files={"out/a.csv": CSV}), places, "out/*.csv") == FAILED
    assert "out/a.csv" in told(places).words
    assert [*outside.iterdir()] == []


def test_where_nothing_fits_or_too_much_that_is_said(places: Places) -> None:
    assert serve_one(FakeSource(), places, "*.csv") == FAILED
    assert told(places).words == "the job has no file that fits *.csv"

    source = FakeSource(files={"a.csv": CSV}, is_whole=False)
    assert serve_one(source, places, "*.csv") == FAILED
    assert "narrow it" in told(places).words


def test_one_file_that_cannot_be_read_stops_none_of_the_others(places: Places) -> None:
    source = FakeSource(files={"a.csv": CSV, "b.csv": CSV})
    source.refusing["a.csv"] = CompanionError("a.csv is a link, which is not followed")

    assert serve_one(source, places, "*.csv") == FAILED
    assert told(places).count == 1
    assert "is a link" in told(places).words


def test_a_token_that_ended_ends_it_with_a_sentence(places: Places) -> None:
    source = FakeSource(files={"a.csv": CSV})
    source.refusing["a.csv"] = TokenEnded("the token of this job is not valid any longer")

    assert serve_one(source, places, "a.csv") == TOKEN_ENDED
    assert told(places).words == "the token of this job is not valid any longer"


def test_names_as_long_as_a_file_system_takes_are_copied(places: Places) -> None:
    name = "é" * 127 + "x"  # 255 bytes

    assert serve_one(FakeSource(files={name: CSV}), places, name) == COLLECTED
    assert claimed(places) == {f"cow/{name}": CSV}


def test_names_that_are_no_text_are_copied_as_they_are(places: Places) -> None:
    name = os.fsdecode(b"caf\xe9.csv")

    assert serve_one(FakeSource(files={name: CSV}), places, "*.csv") == COLLECTED
    assert claimed(places) == {f"cow/{name}": CSV}


def test_a_claim_that_takes_nothing_is_said_and_may_be_tried_again(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("waldur_slurm.operator.companion.claim.os.write", full)
    source = FakeSource(files={"a.csv": CSV})

    assert serve_one(source, places, "a.csv") == 75
    assert told(places).words == "the claim does not take 'a.csv': No space left on device"
    monkeypatch.undo()
    assert serve_one(source, places, "a.csv") == COLLECTED
    assert claimed(places) == {"cow/a.csv": CSV}
