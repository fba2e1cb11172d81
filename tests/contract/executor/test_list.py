"""Only what root lists is run, and only where root alone could have written list and command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures_executor import ALICE, SHELL, UIDS, Done, ExecutorSite

LIST = "/usr/local/etc/executor.commands"
PROBE = "/usr/local/libexec/probe"


@contextmanager
def changed(path: Path, *, mode: int | None = None, owner: int | None = None) -> Iterator[None]:
    """Let a path have another mode or owner for a while."""
    before = path.stat()
    os.chown(path, before.st_uid if owner is None else owner, -1)
    path.chmod(before.st_mode & 0o7777 if mode is None else mode)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, -1)
        path.chmod(before.st_mode & 0o7777)


def refused(executor: ExecutorSite, command: str = "/usr/bin/id", *args: str) -> str:
    """Return why nothing was run, by a request and by words alike."""
    asked = executor.ask(ALICE, command, *args)
    assert (asked.returncode, asked.stdout) == (6, "")
    if not args and command.startswith("/"):
        typed = executor.run("--user", ALICE, "--command", command)
        assert (typed.returncode, typed.stdout) == (6, "")
    return asked.stderr


def is_run(done: Done) -> bool:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.startswith("uid=2001")


def test_a_listed_path_is_run_and_the_bare_name_of_one_path_too(executor: ExecutorSite) -> None:
    executor.allow("/usr/bin/id")

    assert is_run(executor.ask(ALICE, "/usr/bin/id"))
    assert is_run(executor.ask(ALICE, "id"))
    assert is_run(executor.run("--user", ALICE, "--command", "/usr/bin/id"))


@pytest.mark.parametrize(
    "command",
    [
        "./id", "bin/id", "../usr/bin/id", "//usr/bin/id", "/usr/bin/../bin/id", "/usr/bin//id",
        "/usr/./bin/id", "/usr/bin/id/", "/bin/id", "/usr/bin/id ", "/usr/bin/", "env", " id",
        "usr/bin/id", "/", ".", "..", "#", "/usr/bin/id\n/usr/bin/env",
    ],
)  # fmt: skip
def test_no_other_spelling_of_a_path_is_run(executor: ExecutorSite, command: str) -> None:
    executor.allow("/usr/bin/id")

    assert "is not in the list of commands" in refused(executor, command)


def test_a_name_that_two_paths_have_is_nobodys(executor: ExecutorSite) -> None:
    probe = executor.add_command("id", "#!/bin/sh\necho other\n")
    executor.allow("/usr/bin/id", probe)

    assert "id is in the list of commands twice" in refused(executor, "id")
    assert is_run(executor.ask(ALICE, "/usr/bin/id"))


def test_a_command_that_is_listed_without_arguments_has_none(executor: ExecutorSite) -> None:
    executor.allow('/usr/bin/id ""')

    assert "/usr/bin/id is listed without arguments" in refused(executor, "/usr/bin/id", "-u")
    assert "id is listed without arguments" in refused(executor, "id", "")
    assert is_run(executor.ask(ALICE, "id"))


def test_a_shell_is_asked_only_where_root_has_listed_it(executor: ExecutorSite) -> None:
    executor.allow("/usr/bin/id")
    without = executor.run("--user", ALICE, "--command", "/usr/bin/id -u")
    executor.allow("/usr/bin/id", SHELL)
    with_shell = executor.run("--user", ALICE, "--command", "/usr/bin/id -u && exit 3")

    assert (without.returncode, without.stdout) == (6, "")
    assert without.stderr == (
        "this is no listed path, and without a shell nothing else is run: "
        "/bin/sh is not in the list of commands\n"
    )
    assert (with_shell.returncode, with_shell.stdout) == (3, "2001\n")


def test_a_shell_that_is_listed_without_arguments_is_asked_nothing(executor: ExecutorSite) -> None:
    executor.allow(f'{SHELL} ""')

    done = executor.run("--user", ALICE, "--command", "id -u")

    assert (done.returncode, done.stdout) == (6, "")


def test_even_the_caller_himself_runs_nothing_else(executor: ExecutorSite) -> None:
    executor.allow("/usr/bin/env")

    done = executor.run("--command", "/usr/bin/id", caller="bob")

    assert (done.returncode, done.stdout) == (6, "")


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_list_that_others_may_write_is_not_believed(executor: ExecutorSite, mode: int) -> None:
    with changed(executor.list, mode=mode):
        assert refused(executor) == (
            f"{LIST} is not believed: executor.commands may be written by others: chmod go-w it\n"
        )


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_nor_is_one_in_a_directory_that_others_may_write(executor: ExecutorSite, mode: int) -> None:
    """Not even in a sticky one, where it could have been made before root made it."""
    with changed(executor.list.parent, mode=mode):
        assert "etc may be written by others" in refused(executor)
    with changed(executor.prefix, mode=mode):
        assert "local may be written by others" in refused(executor)


def test_nor_is_one_that_is_not_roots(executor: ExecutorSite) -> None:
    with changed(executor.list, owner=UIDS["slurmer"]):
        assert "executor.commands belongs to uid 2000" in refused(executor)
    with changed(executor.list.parent, owner=UIDS["slurmer"]):
        assert "etc belongs to uid 2000" in refused(executor)


def test_the_list_is_read_with_the_rights_of_who_asks(executor: ExecutorSite) -> None:
    """Root's are laid down until the user is to be become."""
    with changed(executor.list, mode=0o600):
        assert refused(executor) == f"{LIST}: permission denied\n"


def test_nor_is_a_link(executor: ExecutorSite) -> None:
    real = executor.list.with_name("real")
    executor.list.rename(real)
    try:
        executor.list.symlink_to("real")
        assert "executor.commands is a link, and none is followed here" in refused(executor)
    finally:
        real.replace(executor.list)


def test_nor_is_what_is_no_file_or_not_there(executor: ExecutorSite) -> None:
    executor.list.unlink()
    assert "no such file or directory" in refused(executor)
    os.mkfifo(executor.list, 0o644)
    assert "it is no file" in refused(executor)
    executor.list.unlink()
    executor.list.mkdir()
    assert "it is no file" in refused(executor)
    executor.list.rmdir()


@pytest.mark.parametrize(
    "line",
    [
        "usr/bin/id", "id", "/usr/bin/id ", " /usr/bin/id", "/usr/bin/../bin/id", "/usr//bin/id",
        "/usr/bin/", "/", "/usr/bin/id -u", '/usr/bin/id  ""', '/usr/bin/id""', '""', "/a\tb",
        "/usr/bin/./id", "/\u00e9", "*", "/" + "x" * 5000, "\r",
    ],
)  # fmt: skip
def test_a_list_with_a_line_that_is_not_understood_allows_nothing(
    executor: ExecutorSite, line: str
) -> None:
    executor.allow("# what may be run", "", "/usr/bin/id", line)

    assert refused(executor) == "line 4 of the list of commands is no plain absolute path\n"


def test_nor_does_one_with_a_nul_or_without_an_end(executor: ExecutorSite) -> None:
    executor.list.write_text("/usr/bin/id\n\0")
    assert "the list of commands holds a NUL" in refused(executor)
    executor.list.write_text("/usr/bin/id\n" + "#" * 65_536)
    assert "is too long" in refused(executor)
    executor.list.write_text("/usr/bin/id")
    assert is_run(executor.ask(ALICE, "id"))


def test_a_listed_command_that_others_may_write_is_not_run(executor: ExecutorSite) -> None:
    probe = executor.add_command("probe", "#!/bin/sh\nid\n")
    path = executor.prefix / "libexec" / "probe"
    executor.allow(probe)

    with changed(path, mode=0o777):
        assert "probe may be written by others" in refused(executor, probe)
    with changed(path, owner=UIDS["alice"]):
        assert "probe belongs to uid 2001" in refused(executor, probe)
    with changed(path.parent, mode=0o1777):
        assert "libexec may be written by others" in refused(executor, probe)
    with changed(path.parent, owner=UIDS["bob"]):
        assert "libexec belongs to uid 2002" in refused(executor, probe)
    assert is_run(executor.ask(ALICE, "probe"))


def test_links_on_the_way_to_a_command_are_followed_where_they_are_roots(
    executor: ExecutorSite,
) -> None:
    links = executor.prefix / "libexec"
    executor.add_command("probe", "#!/bin/sh\nid\n")
    (links / "again").symlink_to("../libexec/probe")
    (links / "far").symlink_to("/usr/local/libexec/again")
    (links / "hers").symlink_to("probe")
    (links / "round").symlink_to("round")
    os.chown(links / "hers", UIDS["alice"], -1, follow_symlinks=False)
    names = ("again", "far", "hers", "round")
    executor.allow(*(f"/usr/local/libexec/{name}" for name in names))
    try:
        assert is_run(executor.ask(ALICE, "again"))
        assert is_run(executor.ask(ALICE, "far"))
        assert "hers belongs to uid 2001" in refused(executor, "hers")
        assert "round is a link that leads nowhere" in refused(executor, "round")
    finally:
        for name in names:
            (links / name).unlink()


def test_a_link_does_not_lead_through_what_others_may_write(executor: ExecutorSite) -> None:
    open_to_all = executor.prefix / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (open_to_all / "up").symlink_to("/usr/bin")
    link = executor.prefix / "libexec" / "way"
    link.symlink_to("../open/up/id")
    executor.allow("/usr/local/libexec/way")
    try:
        assert "open may be written by others" in refused(executor, "way")
    finally:
        link.unlink()
        (open_to_all / "up").unlink()
        open_to_all.rmdir()


def test_a_directory_is_no_command(executor: ExecutorSite) -> None:
    executor.allow("/usr/local/libexec")

    assert "it is no file" in refused(executor, "libexec")
