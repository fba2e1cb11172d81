"""Two agents for the same thing on one host do not run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from waldur_slurm.agent.daemon.alone import only_agent
from waldur_slurm.errors import AlreadyRunning, SettingsError, StateError

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


OFFERING = "e21a0f0030b447deb63bedf69db6742e"


def signed(place: Path) -> Any:
    return json.loads((place / "lock").read_text())


def test_the_lock_says_who_holds_it_where_since_when_and_what_for(tmp_path: Path) -> None:
    with only_agent(tmp_path, offering=OFFERING, direction="pull", command="once"):
        found = signed(tmp_path)

    assert found["host"] == os.uname().nodename
    assert found["since"].endswith(" UTC")
    assert found["work"] == {"offering": OFFERING, "direction": "pull", "command": "once"}


def test_a_command_that_holds_the_lock_is_waited_for(tmp_path: Path) -> None:
    with (
        only_agent(tmp_path, command="once"),
        pytest.raises(AlreadyRunning, match=r"\(once, since .*\).*; wait until it has ended$"),
        only_agent(tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    "other", [{"offering": OFFERING, "direction": "push"}, {"offering": "0" * 32}]
)
def test_a_state_directory_that_something_else_uses_is_a_wrong_setting(
    tmp_path: Path, other: dict[str, str]
) -> None:
    with (
        only_agent(tmp_path, **({"direction": "pull"} | other)),
        pytest.raises(SettingsError, match="AGENT_STATE_DIR") as caught,
        only_agent(tmp_path, offering=OFFERING, direction="pull"),
    ):
        pass

    assert f"process {os.getpid()} keeps what {other.get('direction', 'pull')} for" in str(
        caught.value
    )


def test_a_holder_on_another_host_is_named_with_it(tmp_path: Path) -> None:
    said = {"process": "1", "host": "head2", "since": "2026-11-21 12:00:00 UTC", "work": {}}
    with only_agent(tmp_path):
        (tmp_path / "lock").write_text(json.dumps(said))
        with pytest.raises(AlreadyRunning, match="process 1 on head2 "), only_agent(tmp_path):
            pass


@pytest.mark.parametrize("text", ["", "{}", "[1]", "{", '{"process": 1, "work": 2}', "\0"])
def test_a_lock_that_nobody_has_signed_yet_names_nobody(tmp_path: Path, text: str) -> None:
    with only_agent(tmp_path):
        (tmp_path / "lock").write_text(text)
        with pytest.raises(AlreadyRunning, match=r"^process unknown "), only_agent(tmp_path):
            pass


def test_the_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with only_agent(tmp_path / "pull"):
            assert signed(tmp_path / "pull")["process"] == str(os.getpid())


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
            assert signed(tmp_path)["process"] == str(os.getpid())


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
