"""Over ssh nothing secret is seen, all arrives as it is, and what breaks is made again."""

import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.ssh import SshServer, make_key
from tests.contract.over_ssh import HERE, over_ssh, refusal
from tests.fixtures_ssh import NewSshd
from tests.sandbox.processes import eventually
from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports import ssh, ssh_master
from waldur_slurm.slurm.transports.ssh import SshTransport
from waldur_slurm.slurm.transports.ssh_master import HostKey, KeyText

SHORT = timedelta(seconds=0.5)
pytestmark = pytest.mark.usefixtures("rooms")


@pytest.fixture
def transport(sshd: SshServer) -> Iterator[SshTransport]:
    with closing(over_ssh(sshd)) as transport:
        yield transport


def sh(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *words)


# What is seen


def test_neither_key_nor_variable_nor_stdin_is_in_any_command_line(sshd: SshServer) -> None:
    """Read while the command runs: on this side ssh and its master, on the other the shells."""
    key = sshd.user_key.read_text()
    secrets = (key.splitlines()[2], "s3cret-of-the-environment", "s3cret-of-stdin")
    seen: list[bytes] = []
    with closing(over_ssh(sshd, key=KeyText(key))) as transport:
        watch = transport.stream(
            sh("test $NONCE && echo ready; sleep 472"),
            believe=print,
            environ={"NONCE": secrets[1]},
            timeout=timedelta(seconds=60),
        )
        assert next(watch) == "ready"
        transport.run(("cat",), stdin=secrets[2])
        seen = list(command_lines())
        watch.close()  # type: ignore[attr-defined]  # a generator, which the port need not be
    everything = b"\n".join(seen)
    assert b"sleep 472" in everything.replace(b"\0", b" ")
    for secret in secrets:
        assert secret.encode() not in everything


def command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                yield (entry / "cmdline").read_bytes()


def test_a_key_from_memory_is_a_file_only_while_the_connection_is_made(
    sshd: SshServer, rooms: Path
) -> None:
    key = KeyText(sshd.user_key.read_text().strip().replace("\n", "\r\n"))
    assert "PRIVATE" not in repr(key)
    with closing(over_ssh(sshd, key=key)) as transport:
        assert transport.run(("true",)).code == 0
        (room,) = rooms.glob("waldur-ssh-*")
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        files = [file for file in room.iterdir() if file.is_file()]
        assert files
        assert [file for file in files if "PRIVATE" in file.read_text()] == []


def test_the_file_of_a_key_from_memory_is_for_nobody_else(rooms: Path, tmp_path: Path) -> None:
    """Looked at while a host that has not yet said a word keeps ssh waiting."""
    key = KeyText(make_key(tmp_path / "key").read_text())
    modes: list[int] = []
    with socket.socket() as mute:
        mute.bind((HERE, 0))
        mute.listen()

        def look() -> None:
            connection, _ = mute.accept()
            modes.extend(stat.S_IMODE(file.stat().st_mode) for file in rooms.glob("*/key"))
            connection.close()

        looking = threading.Thread(target=look)
        looking.start()
        port = mute.getsockname()[1]
        known = HostKey("ssh-ed25519 A")
        refusal(SshTransport(HERE, user="u", port=port, host_keys=known, key=key))
        looking.join(10)
    assert modes == [0o600]


# What is carried


def test_any_bytes_are_passed_in_words_variables_and_stdin(transport: SshTransport) -> None:
    every = bytes(range(1, 256)).decode("utf-8", errors="surrogateescape")
    octal = ("od", "-An", "-v", "-to1")
    expected = " ".join(f"{byte:03o}" for byte in range(1, 256))

    def told(done: Completed) -> str:
        return " ".join(done.out.split())

    script = "printf %s {} | od -An -v -to1"
    assert told(transport.run(sh(script.format('"$1"'), every))) == expected
    assert told(transport.run(sh(script.format('"$V"')), environ={"V": every})) == expected
    assert told(transport.run(octal, stdin=every)) == expected


@pytest.mark.parametrize("word", ["-n", "--", "-oX=y", "$(touch /x)", "`x`", "a\n\nb\n", "'\\''"])
def test_hostile_words_stay_words(transport: SshTransport, word: str) -> None:
    script = 'printf "%s|" "$#" "$@"'
    assert transport.run(sh(script, word, word)).out == f"2|{word}|{word}|"


def test_many_and_long_words_arrive(transport: SshTransport) -> None:
    words = [f"{number:-<1000}" for number in range(200)]
    assert transport.run(sh("printf '%s\\n' \"$@\"", *words)).out.splitlines() == words


def test_what_no_process_can_take_is_an_error_not_a_crash(transport: SshTransport) -> None:
    with pytest.raises(TransportError, match="NUL byte"):
        transport.run(("echo", "a\0b"))
    with pytest.raises(TransportError, match="no shell exports"):
        transport.run(("true",), environ={"a;id": "1"})


def test_the_environment_of_this_side_does_not_go_over(
    transport: SshTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WALDUR_API_TOKEN", "secret")
    assert "WALDUR_API_TOKEN" not in transport.run(("env",)).out


def test_a_command_whose_words_look_like_a_mark_is_read_as_it_is(transport: SshTransport) -> None:
    odd = "0" * 32 + "-0\n" + "f" * 32 + "+"
    assert transport.run(("printf", "%s", odd)) == Completed(0, odd, "")


def test_words_of_a_login_script_are_no_part_of_the_answer(
    new_sshd: NewSshd, tmp_path: Path
) -> None:
    banner = tmp_path / "banner"
    banner.write_text("be nice\n")
    script = 'echo welcome; echo oh >&2; eval "$SSH_ORIGINAL_COMMAND"'
    noisy = f"Banner {banner}\nForceCommand {script}"
    with new_sshd(noisy) as server, closing(over_ssh(server)) as transport:
        assert transport.run(sh("echo out; echo err >&2")) == Completed(0, "out\n", "err\n")
        assert list(transport.stream(("seq", "2"), believe=print)) == ["1", "2"]


def test_a_host_that_starts_nothing_is_quoted(new_sshd: NewSshd) -> None:
    refusing = "ForceCommand echo This account is not available.; exit 1"
    with new_sshd(refusing) as server:
        said = refusal(over_ssh(server))
    assert "true was not started" in said
    assert "This account is not available." in said


# What ends


def test_a_command_that_outlives_its_time_out_is_gone_there(transport: SshTransport) -> None:
    with pytest.raises(TransportError, match=r"did not end within 0\.5 s on"):
        transport.run(sh("sleep 473 & exec sleep 473"), timeout=SHORT)
    assert not alive("sleep 473")


def test_a_command_ends_by_its_time_out_though_the_connection_is_gone(
    transport: SshTransport, rooms: Path
) -> None:
    lines = transport.stream(sh("echo on; sleep 474"), believe=print, timeout=timedelta(seconds=4))
    assert next(lines) == "on"
    os.kill(master(rooms), signal.SIGKILL)
    with pytest.raises(TransportError, match="broke, and what became of it is not known"):
        next(lines)
    assert eventually(lambda: not alive("sleep 474"), 10)


def test_a_lost_master_is_made_again(transport: SshTransport, rooms: Path) -> None:
    assert transport.run(("true",)).code == 0
    first = master(rooms)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: first not in masters(rooms), 5)
    assert transport.run(("true",)).code == 0
    assert master(rooms) != first


def test_a_restarted_sshd_is_found_again(
    sshd: SshServer, transport: SshTransport, rooms: Path
) -> None:
    assert transport.run(("true",)).code == 0
    sshd.end()
    assert eventually(lambda: not masters(rooms), 5)
    with pytest.raises(TransportError, match="Connection refused"):
        transport.run(("true",))
    sshd.start()
    assert transport.run(("true",)).code == 0


def test_a_frozen_host_costs_a_bounded_time(sshd: SshServer, transport: SshTransport) -> None:
    assert transport.run(("true",)).code == 0
    sshd.freeze()
    began = time.monotonic()
    with pytest.raises(TransportError):
        transport.run(("true",), timeout=SHORT)
    assert time.monotonic() - began < 60


def test_those_who_wait_for_a_host_that_is_silent_wait_one_patience_together(
    tmp_path: Path, rooms: Path
) -> None:
    """Each would else try by itself, one after the other."""
    accepted: list[socket.socket] = []
    with socket.socket() as mute:
        mute.bind((HERE, 0))
        mute.listen(16)

        def listen() -> None:
            with suppress(OSError):
                while True:
                    accepted.append(mute.accept()[0])

        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        transport = SshTransport(
            HERE,
            user="u",
            port=mute.getsockname()[1],
            host_keys=HostKey("ssh-ed25519 A"),
            key=KeyText(make_key(tmp_path / "key").read_text()),
            patience=timedelta(seconds=2),
        )
        with closing(transport), ThreadPoolExecutor(6) as many:
            said = list(many.map(lambda _: failure(transport), range(6)))
        mute.shutdown(socket.SHUT_RDWR)
        listening.join(10)
    for each in accepted:
        each.close()
    assert len(set(said)) == 1
    assert len(accepted) <= 2


def failure(transport: SshTransport) -> str:
    with pytest.raises(TransportError) as raised:
        transport.run(("true",))
    return str(raised.value)


def test_a_master_that_stands_still_is_forsaken_and_the_next_command_connects_anew(
    transport: SshTransport, rooms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "GRACE", timedelta(seconds=1))
    assert transport.run(("true",)).code == 0
    first = master(rooms)
    os.kill(first, signal.SIGSTOP)
    try:
        with pytest.raises(TransportError, match="no word of true"):
            transport.run(("true",), timeout=SHORT)
        assert transport.run(("true",), timeout=timedelta(seconds=10)).code == 0
        assert len(masters(rooms)) == 2
    finally:
        os.kill(first, signal.SIGKILL)


def test_commands_share_one_connection_until_it_is_closed(sshd: SshServer, rooms: Path) -> None:
    transport = over_ssh(sshd)
    for _ in range(3):
        assert transport.run(("true",)).code == 0
    assert len(masters(rooms)) == 1
    transport.close()
    assert eventually(lambda: not masters(rooms), 5)
    transport.close()
    assert transport.run(("true",)).code == 0
    transport.close()


def test_a_connection_that_nobody_uses_or_closes_ends_by_itself(
    transport: SshTransport, rooms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it ends as well when whoever made it was killed."""
    monkeypatch.setattr(ssh_master, "IDLE", timedelta(seconds=1))
    assert transport.run(("true",)).code == 0
    assert eventually(lambda: not masters(rooms), 10)
    assert transport.run(("true",)).code == 0


def test_more_commands_at_once_than_sshd_takes_wait_for_each_other(
    sshd: SshServer, rooms: Path
) -> None:
    codes: list[int] = []
    with closing(over_ssh(sshd)) as transport:
        threads = [
            threading.Thread(target=lambda: codes.append(transport.run(("sleep", "0.3")).code))
            for _ in range(15)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(masters(rooms)) == 1
    assert codes == [0] * 15


def test_a_host_that_takes_fewer_commands_at_once_is_told_as_such(new_sshd: NewSshd) -> None:
    with (
        new_sshd("MaxSessions 1") as server,
        closing(over_ssh(server)) as transport,
    ):
        lines = transport.stream(sh("echo on; sleep 5"), believe=print)
        assert next(lines) == "on"
        with pytest.raises(TransportError, match="MaxSessions"):
            transport.run(("true",))


def masters(rooms: Path) -> list[int]:
    """The masters of this test's transports: they alone are told `-M`."""
    return [int(pid.name) for pid in Path("/proc").iterdir() if is_master(pid, rooms)]


def master(rooms: Path) -> int:
    (found,) = masters(rooms)
    return found


def is_master(process: Path, rooms: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[:2] == [b"ssh", b"-F"] and os.fsencode(rooms) in words[2] and b"-M" in words


def alive(command: str) -> bool:
    return any(line.replace(b"\0", b" ").strip() == command.encode() for line in command_lines())
