"""The journal on a login host: under its lock one job is handed in, whoever else is at it."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from waldur_slurm.errors import CannotStart, TransportError
from waldur_slurm.operator.ways.entries import (
    Entry,
    name_of,
    parse_entry,
    placed_line,
    rest_of_line,
)
from waldur_slurm.operator.ways.login import Guarded, Login, Stands
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Completed

MARK = "k8s:cluster:uid"
REST = rest_of_line(MARK, "print", "nonce", may_wait=False)
SUBMITS = ("sh", "-c", "cat >>$HOME/scripts; echo made >>$HOME/made; sleep 0.1; echo 42")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def login(home: Path) -> Login:
    return Login(shell(home))


def shell(home: Path) -> NativeTransport:
    """A login host is a shell in some home."""
    return NativeTransport({"PATH": os.defpath}, extra={"HOME": str(home)})


def journal(home: Path) -> Path:
    return home / ".local/state/slurm-operator"


def entry_of(login: Login) -> Entry | None:
    return login.read([MARK]).entries.get(MARK)


def submit(login: Login, argv: tuple[str, ...] = SUBMITS, expected: str = "") -> Completed:
    return login.guarded(MARK, expected, REST).run(argv, stdin="#!/bin/sh\n")


def test_a_job_is_written_down_with_the_number_that_sbatch_said(login: Login, home: Path) -> None:
    assert submit(login).out == "42\n"
    entry = entry_of(login)
    assert entry is not None
    assert (entry.number, entry.mark, entry.fingerprint) == (42, MARK, "print")
    assert (home / "scripts").read_text() == "#!/bin/sh\n"


def test_what_federated_and_talkative_sbatches_say_is_understood(login: Login) -> None:
    submit(login, ("sh", "-c", "echo welcome; echo '43;lab'"))
    entry = entry_of(login)
    assert entry is not None
    assert entry.number == 43


def test_of_many_at_once_one_hands_in(home: Path) -> None:
    def try_to(_: int) -> str:
        try:
            return submit(Login(shell(home))).out
        except Stands:
            return "stands"

    with ThreadPoolExecutor(8) as pool:
        told = sorted(pool.map(try_to, range(8)))
    assert told == ["42\n", *["stands"] * 7]
    assert (home / "made").read_text() == "made\n"


def test_who_is_killed_before_the_answer_leaves_an_open_line(login: Login, home: Path) -> None:
    """Whoever comes then has to say what he saw, and may hand it in once he knows better."""
    submit(login, ("sh", "-c", "kill -KILL $PPID"))
    entry = entry_of(login)
    assert entry is not None
    assert entry.number is None
    with pytest.raises(Stands):
        submit(login)
    assert not (home / "made").exists()
    assert submit(login, expected=entry.line).out == "42\n"


def test_while_sbatch_lives_nobody_else_hands_in_though_the_shell_around_it_was_killed(
    home: Path,
) -> None:
    """The lock goes with it, wherever its shell went."""
    outlives = (
        "sh",
        "-c",
        "exec >$HOME/said 2>&1; kill -KILL $PPID; sleep 0.5; echo first >>$HOME/made",
    )
    submit(Login(shell(home)), outlives)
    entry = entry_of(Login(shell(home)))
    assert entry is not None
    submit(Login(shell(home)), expected=entry.line)
    assert (home / "made").read_text() == "first\nmade\n"


def test_a_refusal_can_be_taken_back_by_whoever_wrote_the_line(login: Login) -> None:
    guarded = login.guarded(MARK, "", REST)
    assert guarded.run(("sh", "-c", "echo no >&2; exit 1")).err == "no\n"
    with pytest.raises(Stands):
        login.change(MARK, "open 1 another", "")
    login.change(MARK, guarded.line, "")
    assert entry_of(login) is None


def test_an_adopted_job_is_written_down(login: Login) -> None:
    login.change(MARK, "", placed_line(7, REST, 44))
    entry = entry_of(login)
    assert entry == Entry(MARK, 7, "print", False, 44, placed_line(7, REST, 44))


def test_nobody_but_its_user_reads_the_journal(login: Login, home: Path) -> None:
    submit(login)
    files = [journal(home), *journal(home).iterdir()]
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_the_job_keeps_the_umask_of_the_login(login: Login) -> None:
    before = os.umask(0o027)
    try:
        assert submit(login, ("sh", "-c", "umask")).out == "0027\n"
    finally:
        os.umask(before)


def test_where_no_journal_can_be_kept_nothing_is_handed_in(home: Path) -> None:
    (home / ".local").write_text("in the way")
    with pytest.raises(CannotStart, match="no journal can be kept"):
        submit(Login(shell(home)))
    assert not (home / "made").exists()


def test_lines_that_are_none_of_ours_are_no_answer(login: Login, home: Path) -> None:
    submit(login)
    (journal(home) / name_of(MARK)).write_text("something else\n")
    with pytest.raises(TransportError):
        login.read([MARK])


@pytest.mark.parametrize(
    "line", ["", "open", "open x n f 0 m", "open 1 n f 2 m", "placed 1 n f 0 m", "held 1 n f 0 m"]
)
def test_what_is_no_line_is_none(line: str) -> None:
    assert parse_entry(line) is None


def test_old_lines_go_and_open_ones_stay(login: Login, home: Path) -> None:
    submit(login)
    other = "k8s:cluster:other"
    login.guarded(other, "", rest_of_line(other, "f", "n", may_wait=True)).run(("false",))
    for path in journal(home).glob("*.job"):
        os.utime(path, (0, 0))
    login.tidy()
    entries = login.read([MARK, other]).entries
    assert {**entries}.keys() == {other}


def test_a_thousand_marks_are_one_command(home: Path) -> None:
    asked: list[str] = []

    class Counting(NativeTransport):
        def run(
            self,
            argv: tuple[str, ...],
            *,
            stdin: str = "",
            environ: Mapping[str, str] | None = None,
            timeout: timedelta | None = None,
        ) -> Completed:
            asked.append(argv[0])
            return super().run(argv, stdin=stdin, environ=environ, timeout=timeout)

    login = Login(Counting({"PATH": os.defpath}, extra={"HOME": str(home)}))
    submit(login)
    asked.clear()
    entries = login.read([MARK, *(f"m{number}" for number in range(999))]).entries
    assert ([*entries], asked) == ([MARK], ["sh"])


def test_the_end_of_a_file_is_read_and_of_nothing_else(login: Login, home: Path) -> None:
    (home / "out").write_text("first\nlast\n")
    assert login.read_tail(str(home / "out"), 5) == b"last\n"
    os.mkfifo(home / "pipe")
    for name in ("pipe", "missing", "."):
        with pytest.raises(CannotStart, match="is no file"):
            login.read_tail(str(home / name), 5)


def test_variables_are_not_for_an_ssh_login_to_take(login: Login) -> None:
    guarded: Guarded = login.guarded(MARK, "", REST)
    with pytest.raises(CannotStart):
        guarded.run(SUBMITS, variables={"A": "b"})
