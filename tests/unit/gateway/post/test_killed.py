"""A gateway that is killed while it sends: none is lost, and what comes twice is known again."""

import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tests.patience import AT_ONCE_S
from tests.places import PROJECT
from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.post.sinks import serving
from waldur_slurm.gateway.post.cycle import now_utc
from waldur_slurm.gateway.post.letter import Method, Stage
from waldur_slurm.gateway.post.plan import LEASE
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.sqlite import Database

LETTERS = 6


def test_a_kill_between_send_and_note_repeats_that_letter_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "gateway.sqlite")
    letters = StoredLetters(database)
    running: list[subprocess.Popen[bytes]] = []

    def kill_twice() -> None:
        """The first two processes die when the sink has the letter, before they hear so."""
        if len(running) < 3:
            running[-1].send_signal(signal.SIGKILL)
            running[-1].wait(AT_ONCE_S)

    with serving() as sink:
        sink.before_answer = kill_twice
        url = {"url": f"http://127.0.0.1:{sink.port}/"}
        made = now_utc().replace(microsecond=0)
        for number in range(LETTERS):
            one = letter(f"m{number}", method=Method.WEBHOOK, parameters=url)
            letters.add(replace(one, made=made, next_try=made))
        try:
            for life in range(3):
                running.append(start(database.path, ahead_s=life * (LEASE.seconds + 1)))
                if life < 2:
                    assert running[-1].wait(AT_ONCE_S) == -signal.SIGKILL
            wait_until_delivered(letters)
        finally:
            running[-1].kill()
            running[-1].wait(AT_ONCE_S)
            database.close()

    times = Counter(heard.headers["x-message-id"] for heard in sink.heard)
    assert times == {"m0": 2, "m1": 2, "m2": 1, "m3": 1, "m4": 1, "m5": 1}


def start(path: Path, ahead_s: int) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "tests.unit.gateway.post.mortal", str(path), str(ahead_s)]
    return subprocess.Popen(argv, cwd=PROJECT)


def wait_until_delivered(letters: StoredLetters) -> None:
    end = time.monotonic() + AT_ONCE_S
    while any(each.stage is not Stage.DELIVERED for each in letters.latest(LETTERS)):
        assert time.monotonic() < end, letters.latest(LETTERS)
        time.sleep(0.05)
