"""A child process ends, leaves nothing behind, and is believed only when it has ended well."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.patience import AT_ONCE_S
from waldur_slurm.errors import TransportError
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Completed

SHORT = timedelta(seconds=0.5)
PATH = {"PATH": os.defpath}


@pytest.fixture
def native() -> NativeTransport:
    return NativeTransport(PATH)


def sh(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *words)


def test_code_and_streams_are_kept_apart(native: NativeTransport) -> None:
    done = native.run(sh("echo out; echo err >&2; exit 3"))
    assert done == Completed(3, "out\n", "err\n")


def test_words_are_passed_as_they_are(native: NativeTransport) -> None:
    odd = ("a b", "$(id)", "'", '"', "*", "\n", "ü", "--", "-n")
    assert native.run(("printf", "%s|", *odd)).out == "".join(f"{word}|" for word in odd)


def test_stdin_is_fed_in_full_while_output_is_read(native: NativeTransport) -> None:
    text = "x" * 1_000_000
    assert native.run(("cat",), stdin=text).out == text


def test_a_command_that_does_not_read_its_stdin_is_no_error(native: NativeTransport) -> None:
    assert native.run(("true",), stdin="x" * 1_000_000).code == 0


def test_only_the_named_variables_reach_a_command() -> None:
    environ = PATH | {"SLURM_CONF": "/etc/x", "WALDUR_API_TOKEN": "secret", "LD_PRELOAD": "/x"}
    native = NativeTransport(environ, extra={"ADDED": "1"})
    found = dict(
        line.split("=", 1) for line in native.run(("env",), environ={"TZ": "UTC"}).out.splitlines()
    )
    assert found == {
        "PATH": os.defpath,
        "SLURM_CONF": "/etc/x",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "ADDED": "1",
        "TZ": "UTC",
    }


def test_a_command_that_is_not_there_is_named(native: NativeTransport) -> None:
    with pytest.raises(TransportError, match="no-such-tool cannot be started"):
        native.run(("no-such-tool",))


def test_a_word_that_no_process_can_take_is_an_error_not_a_crash(native: NativeTransport) -> None:
    with pytest.raises(TransportError):
        native.run(("echo", "nul\0byte"))


def test_the_time_out_ends_the_whole_process_group(native: NativeTransport, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = 'sleep 60 & echo $! $$ > "$1"; trap "" TERM; sleep 60'
    began = time.monotonic()
    with pytest.raises(TransportError, match=r"did not end within 0.5 s"):
        native.run(sh(script, str(pids)), timeout=SHORT)
    assert time.monotonic() - began < AT_ONCE_S
    for pid in pids.read_text().split():
        assert is_gone(int(pid))


def test_a_command_that_closes_its_output_and_stays_is_ended_too(native: NativeTransport) -> None:
    with pytest.raises(TransportError, match="did not end"):
        native.run(sh("exec >&- 2>&-; sleep 60"), timeout=SHORT)


def test_output_beyond_the_bound_is_an_error_and_ends_the_command() -> None:
    native = NativeTransport(PATH, most_output=100_000)
    with pytest.raises(TransportError, match="more than 100000 bytes"):
        native.run(("yes",))


def test_bytes_that_are_no_text_are_spelled_out(native: NativeTransport) -> None:
    assert native.run(("printf", r"a\377b|\n")).out == "a\\xffb|\n"


def test_lines_are_streamed_and_then_judged(native: NativeTransport) -> None:
    ends: list[Completed] = []
    script = "echo 1; echo 2; echo why >&2; printf 3; exit 4"
    assert list(native.stream(sh(script), believe=ends.append)) == ["1", "2", "3"]
    assert ends == [Completed(4, "", "why\n")]


def test_lines_are_not_believed_when_the_judge_objects(native: NativeTransport) -> None:
    class Objection(Exception):
        pass

    def object_to(completed: Completed) -> None:
        if completed.code:
            raise Objection

    with pytest.raises(Objection):
        list(native.stream(sh("echo 1; exit 1"), believe=object_to))


def test_a_stream_times_out_in_the_middle(native: NativeTransport) -> None:
    lines = native.stream(sh("echo 1; sleep 60"), believe=print, timeout=SHORT)
    assert next(lines) == "1"
    with pytest.raises(TransportError, match="did not end"):
        next(lines)


def test_a_stream_that_is_dropped_ends_its_command(native: NativeTransport) -> None:
    lines = native.stream(sh("echo $$; exec yes"), believe=print)
    pid = int(next(lines))
    assert not is_gone(pid)
    lines.close()  # type: ignore[attr-defined]  # a generator, which the port need not be
    assert is_gone(pid)


def test_a_stream_of_any_length_takes_little_memory(native: NativeTransport) -> None:
    """The bound on output is for what is kept; streamed lines are not."""
    small = NativeTransport(PATH, most_output=1000)
    count = sum(1 for _ in small.stream(("seq", "200000"), believe=lambda _: None))
    assert count == 200_000


def test_a_line_without_an_end_is_an_error(native: NativeTransport) -> None:
    endless = sh("yes | tr -d '\\n'")
    with pytest.raises(TransportError, match="line without an end"):
        list(native.stream(endless, believe=print))


def is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
