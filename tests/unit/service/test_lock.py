"""Two agents for the same thing on one host do not run."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from waldur_slurm.agent.daemon.alone import only_agent
from waldur_slurm.errors import AlreadyRunning, StateError

_HOLDER = """
import sys, time
from pathlib import Path
from waldur_slurm.agent.daemon.alone import only_agent

with only_agent(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_agent_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    with only_agent(tmp_path), pytest.raises(AlreadyRunning) as caught, only_agent(tmp_path):
        pass

    assert str(caught.value).startswith(f"process {os.getpid()} already serves this offering")
    assert "SIGUSR1" in str(caught.value)


def test_the_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with only_agent(tmp_path / "pull"):
            assert (tmp_path / "pull" / "lock").read_text() == f"{os.getpid()}\n"


def test_two_directions_do_not_stand_in_each_others_way(tmp_path: Path) -> None:
    with only_agent(tmp_path / "pull"), only_agent(tmp_path / "push"):
        assert {path.name for path in tmp_path.iterdir()} == {"pull", "push"}


def test_an_agent_that_was_killed_leaves_no_lock_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=f"process {holder.pid} "), only_agent(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with only_agent(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_number_that_a_dead_agent_left_is_not_taken_for_the_holders(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as dead:  # noqa: S607 - wherever it lies
        pass
    with only_agent(tmp_path):
        (tmp_path / "lock").write_text(f"{dead.pid}\n")
        signs = Timer(0.2, (tmp_path / "lock").write_text, (f"{os.getpid()}\n",))
        signs.start()
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()} "), only_agent(tmp_path):
            pass
        signs.join()


def test_a_state_directory_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(StateError, match="cannot use the state directory"),
        only_agent(tmp_path / "file" / "pull"),
    ):
        pass
