"""Who may ask, and who is acted as, is decided before root's rights are taken up."""

import json
from collections.abc import Iterator

import pytest

from tests.fixtures_executor import (
    ALICE,
    BOB,
    LISTED,
    OWNER,
    SLURM,
    SLURMER,
    UIDS,
    ExecutorSite,
    install,
    open_site_directory,
    request,
    run,
)

HINT = "Try '/usr/local/bin/executor --help' for more information.\n"


@pytest.fixture(scope="module")
def wide() -> Iterator[ExecutorSite]:
    """An executor whose range holds its own caller, as the default range does."""
    with open_site_directory() as directory:
        site = install(directory, uids=(1, 65_565))
        site.allow(*LISTED)
        yield site


@pytest.mark.parametrize("user", [SLURMER, SLURM, OWNER])
def test_the_caller_slurms_account_and_roots_group_are_nobody_to_act_as(
    wide: ExecutorSite, user: str
) -> None:
    by_stdin = wide.ask(user, "id")
    by_user = wide.run("--user", user, "--command", "id")
    by_uid = wide.run("--uid", str(UIDS[user]), "--command", "id")

    assert (by_stdin.returncode, by_stdin.stdout) == (3, "")
    assert by_stdin.stderr == f"{user} is nobody to act as\n"
    for each in (by_user, by_uid):
        assert (each.returncode, each.stdout) == (13, "")
        assert each.stderr == f"{user} is nobody to act as\n{HINT}"


@pytest.mark.parametrize("user", ["root", SLURMER])
def test_who_lies_outside_of_the_range_is_not_acted_as(executor: ExecutorSite, user: str) -> None:
    words = "user id must be between 2001 and 2999\n"
    by_stdin = executor.ask(user, "id")
    by_user = executor.run("--user", user, "--command", "id")

    assert (by_stdin.returncode, by_stdin.stdout, by_stdin.stderr) == (3, "", words)
    assert (by_user.returncode, by_user.stdout, by_user.stderr) == (13, "", words + HINT)


@pytest.mark.parametrize(
    ("uid", "code"),
    [
        ("2000", 13), ("3000", 13), ("4294967294", 13), ("4294967295", 2), ("4294969297", 2),
        ("99999999999999999999", 2), ("2500", 2), ("-1", 2), ("+2001", 2), (" 2001", 2),
        ("2001 ", 2), ("0x7d1", 2), ("", 2), ("alice", 2),
    ],
)  # fmt: skip
def test_a_uid_is_a_whole_number_of_a_user_in_the_range(
    executor: ExecutorSite, uid: str, code: int
) -> None:
    done = executor.run(f"--uid={uid}", "--command", "id")

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.endswith(HINT)


@pytest.mark.parametrize("user", ["", "Alice", "alice ", "2001", "#2001", "x" * 5000, "a\u0430"])
def test_a_name_is_believed_as_it_is_spelt(executor: ExecutorSite, user: str) -> None:
    assert executor.ask(user, "id").returncode == 2
    assert executor.run("--user", user, "--command", "id").returncode == 2


def test_what_is_shown_of_a_name_steers_no_terminal_and_forges_no_line(
    executor: ExecutorSite,
) -> None:
    done = executor.run("--user", "x\x1b[2J\nuser: root\x7f", "--command", "id")

    assert done.stderr == f"user: unknown user x?[2J?user: root?\n{HINT}"


def test_a_stranger_is_turned_away_before_he_is_heard(executor: ExecutorSite) -> None:
    """He learns neither whom there is nor what is listed."""
    for asked in (request(ALICE, "id"), request("nosuchuser", "id"), "{", ""):
        done = executor.run("--stdin", caller=BOB, stdin=asked)
        assert (done.returncode, done.stdout, done.stderr) == (4, "", "bad calling user\n")
    for user in (ALICE, BOB, "nosuchuser", "root"):
        done = executor.run("--user", user, "--command", "id", caller=BOB)
        assert (done.returncode, done.stderr) == (11, f"bad calling user\n{HINT}")


def test_root_may_ask_but_is_nobody_to_act_as(executor: ExecutorSite) -> None:
    asked = executor.run("--user", ALICE, "--command", "id -u; echo $EXECUTOR_UID", caller="root")
    himself = executor.run("--command", "id -u", caller="root")

    assert (asked.returncode, asked.stdout) == (0, "2001\n0\n")
    assert (himself.returncode, himself.stdout) == (13, "")


def test_without_roots_rights_it_says_so(executor: ExecutorSite) -> None:
    """A unit with NoNewPrivileges, or a filesystem mounted nosuid, takes them away."""
    *as_caller, program = executor.argv()
    start = (*as_caller, "setpriv", "--no-new-privs", "--", program)

    by_stdin = run(*start, "--stdin", stdin=request(ALICE, "id"))
    by_user = run(*start, "--user", ALICE, "--command", "id")

    assert (by_stdin.returncode, by_stdin.stdout) == (5, "")
    assert by_stdin.stderr == "this is not setuid root, or may not be\n"
    assert (by_user.returncode, by_user.stdout) == (12, "")
    assert by_user.stderr == f"this is not setuid root, or may not be\n{HINT}"


@pytest.mark.parametrize(
    "words",
    [
        ("--stdin", "--user", ALICE),
        ("--stdin", "--command", "id"),
        ("--user", ALICE, "--command", "id", "more"),
        ("--user", ALICE, "--command"),
        ("--user", ALICE, "--command", ""),
        ("--user", ALICE, "--nothing", "id"),
        ("--user", ALICE),
    ],
)
def test_what_is_typed_wrongly_runs_nothing(executor: ExecutorSite, words: tuple[str, ...]) -> None:
    done = executor.run(*words, stdin=request(ALICE, "id"))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(HINT)


def test_help_says_who_may_ask_and_whom_it_acts_as(executor: ExecutorSite) -> None:
    done = executor.run("--help", caller=BOB)

    assert (done.returncode, done.stderr) == (0, "")
    assert "between 2001 and 2999. Only uid 2000 may" in done.stdout
    assert "/usr/local/etc/executor.commands" in done.stdout


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("", "an object is expected"),
        ("[]", "an object is expected"),
        (json.dumps({"user": ALICE}), "user and command must be there"),
        (request(ALICE, "id")[:-1], "the object does not end"),
        (request(ALICE, "id") + "{}", "something follows the object"),
        (request(ALICE, "id", uid="0"), "its keys are user, command, args, dir and stdin"),
        ('{"user":"alice","user":"bob","command":"id"}', "a key is there twice"),
        ('{"user":"alice","command":"id\\u0000"}', "a text holds no NUL"),
        ('{"user":"alice","command":"id","args":[["x"]]}', "a text is expected"),
        (request(ALICE, "id", *["x"] * 1025), "there are too many args"),
        (request(ALICE, ""), "no command given"),
        (request(ALICE, "cat", stdin="x" * 16 * 1024 * 1024), "a request has at most 16777216"),
    ],
)
def test_a_request_that_is_not_understood_runs_nothing(
    executor: ExecutorSite, asked: str, why: str
) -> None:
    done = executor.run("--stdin", stdin=asked)

    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr
