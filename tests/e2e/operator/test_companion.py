"""The job-companion on a real gateway, hand and Slurm: what it shows, and what it leaves."""

import json
import os
import shutil
import signal
from hashlib import sha256
from pathlib import Path

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.conftest import acting, acting_site, lab, lab_tools
from tests.e2e.operator.cow import MIB, PATIENCE_S, Companion, hand_in, put
from tests.fixtures_hand import ANN
from tests.sandbox.processes import eventually
from tests.trust.size import IS_CAMPAIGN
from waldur_slurm.operator.model.order import ORDER, Order
from waldur_slurm.operator.model.slurm_job import When

__all__ = ["acting", "acting_site", "lab", "lab_tools"]


def test_it_shows_what_comes_and_collects_what_fits(
    acting: ActingGateway, acting_site: ActingSite, tmp_path: Path
) -> None:
    script = "echo moo; until [ -e go ]; do sleep 0.2; done; mkdir out; echo 1 >out/a.csv; echo end"
    cow = hand_in(acting, acting_site, script)
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
    acting: ActingGateway, acting_site: ActingSite, tmp_path: Path
) -> None:
    elsewhere = acting_site.hand.home(ANN) / "elsewhere.txt"
    folder = acting_site.hand.home(ANN) / "run"
    folder.mkdir()
    shutil.chown(folder, ANN)
    cow = hand_in(acting, acting_site, "echo moo", chdir=str(folder), output=str(elsewhere))
    companion = cow.companion(tmp_path / "one")

    assert companion.run() == 0, companion.said
    assert companion.claimed() == {"cow/elsewhere.txt": b"moo\n"}
    assert companion.run() == 0


def test_of_a_job_that_failed_the_errors_are_shown_and_all_is_collected_where_asked_for(
    acting: ActingGateway, acting_site: ActingSite, tmp_path: Path
) -> None:
    script = "echo moo; echo no grass >&2; exit 3"
    cow = hand_in(acting, acting_site, script, error="errors.txt")
    only_well, always = tmp_path / "well", tmp_path / "always"
    companion = cow.companion(only_well)

    assert companion.run() == 0
    assert (companion.shown, companion.claimed()) == (b"moo\n", {})
    assert "the job ended: FAILED" in companion.said
    assert "no grass" in companion.said

    companion = cow.companion(always, "errors.txt", When.ALWAYS)
    assert companion.run() == 0
    assert companion.claimed() == {"cow/errors.txt": b"no grass\n"}


def test_killed_while_it_copies_the_next_one_goes_on_there(
    acting: ActingGateway, acting_site: ActingSite, tmp_path: Path
) -> None:
    content = os.urandom(1024 * 1024) * 48
    put(acting_site.hand.home(ANN), "big.bin", content)
    cow = hand_in(acting, acting_site, "echo moo")
    companion = cow.companion(tmp_path / "one", "big.bin")

    def part() -> int:
        return sum(each.stat().st_size for each in companion.place.glob("claim/cow/*.partial"))

    with companion.running() as process:
        assert eventually(lambda: part() > 0, PATIENCE_S), companion.said
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)

    assert companion.run() == 0, companion.said
    assert companion.claimed() == {"cow/big.bin": content}
    assert companion.told.files[0].sha256 == sha256(content).hexdigest()
    (companion.place / "last-words").unlink()
    assert companion.run() == 0
    assert companion.told.count == 1


def test_a_gateway_that_is_away_is_waited_for(acting_site: ActingSite, tmp_path: Path) -> None:
    with acting_site.running() as first:
        cow = hand_in(first, acting_site, "until [ -e go ]; do sleep 0.2; done; echo moo")
        companion = cow.companion(tmp_path / "one")
        first.daemon.process.kill()
        first.daemon.process.wait()
        with companion.running() as process:
            assert eventually(lambda: "waiting for the gateway" in companion.said, PATIENCE_S)
            with acting_site.running(GATEWAY_LISTEN=f"127.0.0.1:{first.port}"):
                put(cow.home, "go", b"")
                assert process.wait(PATIENCE_S) == 0, companion.said
    assert "the gateway answers again" in companion.said
    assert companion.shown == b"moo\n"


def test_a_token_that_was_revoked_ends_it_with_a_sentence(
    acting: ActingGateway, acting_site: ActingSite, tmp_path: Path
) -> None:
    cow = hand_in(acting, acting_site, "sleep 600")
    companion = cow.companion(tmp_path / "one")
    with companion.running() as process:
        made = json.loads(acting_site.program().run("token", "list", "--json").stdout)
        (ours,) = [each for each in made if each["name"].startswith(f"job {cow.job_id}")]
        acting_site.program().run("token", "revoke", ours["id"])
        assert process.wait(PATIENCE_S) == 77, companion.said
    assert "the token of this job is not valid any longer" in companion.told.words
    cow.client.cancel(cow.job_id)


def test_nothing_of_another_job_is_had_and_no_link_is_followed(
    acting: ActingGateway, acting_site: ActingSite, tmp_path: Path
) -> None:
    put(acting_site.hand.home(ANN), "hers", b"secret")
    cow = hand_in(acting, acting_site, "ln -s hers link; ln -s /etc way")
    for number, pattern in enumerate(("link", "way/passwd", "../hers")):
        companion = cow.companion(tmp_path / str(number), pattern)
        assert companion.run() == 1, companion.said
        assert companion.claimed() == {}
        assert companion.told.words

    other = hand_in(acting, acting_site, "true")
    companion = cow.companion(tmp_path / "other", "hers")
    order = Order(f"http://127.0.0.1:{acting.port}", other.job_id, "cow", "hers")
    (companion.place / "told" / ORDER).write_text(order.to_text())
    assert companion.run() == 1
    assert companion.claimed() == {}


def test_a_file_is_copied_without_being_held_in_memory(
    acting: ActingGateway, acting_site: ActingSite, tmp_path: Path
) -> None:
    size = (5 * 1024 if IS_CAMPAIGN else 160) * MIB
    hole = acting_site.hand.home(ANN) / "hole.bin"
    with hole.open("wb") as file:
        file.truncate(size)
    put(hole.parent, "small.bin", b"x")
    shutil.chown(hole, ANN)
    os.utime(hole, (1_790_000_000, 1_790_000_000))
    cow = hand_in(acting, acting_site, "true")
    used = {
        name: peak_of(cow.companion(tmp_path / name, name)) for name in ("small.bin", "hole.bin")
    }

    assert (tmp_path / "hole.bin" / "claim" / "cow" / "hole.bin").stat().st_size == size
    assert used["hole.bin"] - used["small.bin"] < 16 * MIB, used
    assert used["hole.bin"] < 80 * MIB, used


def peak_of(companion: Companion) -> int:
    """Run it, and return how much memory it had at most."""
    with companion.running() as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, companion.said
    return used.ru_maxrss * 1024
