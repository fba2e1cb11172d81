"""`make`, `make install` and `make clean` do what the document of the original says of them."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures_executor import SOURCES, copy_sources, make, run
from tests.fixtures_slurm import IN_CI, require
from tests.places import PROJECT


@pytest.fixture
def sources() -> Iterator[Path]:
    missing = [name for name in ("cc", "make", "readelf") if shutil.which(name) is None]
    require(missing, in_ci=IN_CI)
    with tempfile.TemporaryDirectory(prefix="wsat-") as directory:
        yield copy_sources(Path(directory) / "sources")


def bounds(program: Path) -> tuple[str, ...]:
    """Return what is baked in: least and most uid, the caller's, and where the list lies."""
    shown = run(program, "--help").stdout
    found = re.search(r"that (\S+) lists.*\sbetween (\d+) and (\d+)\. Only uid (\d+)", shown, re.S)
    assert found, shown
    return (found[2], found[3], found[4], found[1])


def made(sources: Path, *words: str) -> Path:
    done = make(sources, *words)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return sources / "executor"


def test_without_a_word_it_takes_the_documents_defaults(sources: Path) -> None:
    expected = ("1000", "65565", "1000", "/usr/local/etc/executor.commands")

    assert bounds(made(sources)) == expected


def test_the_documents_example_is_installed_as_it_was_asked_for(
    sources: Path, as_root: None
) -> None:
    """`make install` is told another prefix than `make`, and none of the uids."""
    made(sources, "MIN_UID=1100", "MAX_UID=1200", "SLURMER_UID=1099")
    prefix = sources.parent / "opt" / "slurmer"
    made(sources, f"PREFIX={prefix}", "install")

    list_at = f"{prefix}/etc/executor.commands"
    assert bounds(prefix / "bin" / "executor") == ("1100", "1200", "1099", list_at)


def test_what_is_installed_is_roots_and_setuid_and_the_list_lets_the_hand_alone_be_run(
    sources: Path, as_root: None
) -> None:
    prefix = sources.parent / "opt"
    made(sources, f"PREFIX={prefix}", "install")

    program, listed = prefix / "bin" / "executor", prefix / "etc" / "executor.commands"
    assert [(path.stat().st_uid, path.stat().st_gid) for path in (program, listed)] == [(0, 0)] * 2
    assert program.stat().st_mode & 0o7777 == 0o4755
    assert listed.stat().st_mode & 0o7777 == 0o644
    lines = [line for line in listed.read_text().splitlines() if line and line[0] != "#"]
    assert lines == ['/usr/libexec/slurm-gateway/hand ""']


def test_slurmer_as_it_was_typed_is_the_gateway(sources: Path, as_root: None) -> None:
    prefix = sources.parent / "opt"
    made(sources, f"PREFIX={prefix}", "install")
    told = sources.parent / "slurm-gateway"
    told.write_text('#!/bin/sh\necho "$@"\n')
    told.chmod(0o755)

    slurmer = prefix / "bin" / "slurmer"
    path = {"PATH": f"{told.parent}:/usr/bin:/bin"}
    shown = run(slurmer, "-c", "a b.yml", environ=path).stdout
    assert (shown, slurmer.stat().st_mode & 0o7777) == ("-c a b.yml\n", 0o755)


def test_a_second_install_keeps_the_list_and_renews_the_program(
    sources: Path, as_root: None
) -> None:
    prefix = sources.parent / "opt"
    made(sources, f"PREFIX={prefix}", "install")
    listed = prefix / "etc" / "executor.commands"
    listed.write_text("/usr/bin/true\n")
    (prefix / "bin" / "executor").write_text("an old one")

    made(sources, "install")

    assert listed.read_text() == "/usr/bin/true\n"
    assert (prefix / "bin" / "executor").read_bytes() == (sources / "executor").read_bytes()
    assert (prefix / "bin" / "executor").stat().st_mode & 0o7777 == 0o4755


def test_what_is_told_anew_is_built_anew_and_else_nothing_is(sources: Path) -> None:
    program = made(sources, "MIN_UID=1500")
    built = program.stat().st_mtime_ns
    made(sources, "MIN_UID=1500")
    made(sources)
    assert program.stat().st_mtime_ns == built

    assert bounds(made(sources, "MAX_UID=1600"))[:2] == ("1500", "1600")


def test_clean_leaves_what_was_there_before(sources: Path) -> None:
    before = {path.name for path in sources.iterdir()}
    made(sources, "MIN_UID=1500")
    assert make(sources, "clean").returncode == 0

    assert {path.name for path in sources.iterdir()} == before
    assert bounds(made(sources))[0] == "1000"


@pytest.mark.parametrize(
    "word",
    ["MIN_UID=0", "MIN_UID=-1", "MIN_UID=70000", "MAX_UID=999", "MAX_UID=4294967295",
     "SLURMER_UID=4294967295", "PREFIX=usr/local", "MIN_UID=x", "MIN_UID=1;", "PREFIX="],
)  # fmt: skip
def test_what_makes_no_sense_is_not_built(sources: Path, word: str) -> None:
    assert make(sources, word).returncode != 0
    assert not (sources / "executor").exists()


def test_root_alone_is_told_apart_where_nobody_may_call(sources: Path) -> None:
    assert bounds(made(sources, "SLURMER_UID=0"))[2] == "0"


def test_it_is_built_with_what_the_compiler_has_against_attacks(sources: Path) -> None:
    program = made(sources)
    shown = run("readelf", "--wide", "--file-header", "--segments", "--dynamic", "--syms", program)

    assert re.search(r"Type:\s+DYN", shown.stdout)
    assert "GNU_RELRO" in shown.stdout
    assert "BIND_NOW" in shown.stdout
    assert re.search(r"GNU_STACK\s.* RW ", shown.stdout)
    assert "__stack_chk_fail" in shown.stdout
    assert re.search(r"__\w+_chk@", shown.stdout.replace("__stack_chk_fail", ""))


def test_no_file_and_no_function_is_longer_than_can_be_read_at_once() -> None:
    files = {path: path.read_text().splitlines() for path in SOURCES.glob("*.[ch]")}
    assert len(files) == 8
    for path, lines in files.items():
        assert len(lines) <= 400, path
        assert max(map(len, lines)) <= 100, path
        begun = [at for at, line in enumerate(lines) if line == "{"]
        ended = [at for at, line in enumerate(lines) if line == "}"]
        assert all(end - begin <= 40 for begin, end in zip(begun, ended, strict=True)), path


def test_the_readme_names_each_variable_and_each_exit_code() -> None:
    page = (SOURCES / "README.md").read_text(encoding="utf-8")
    makefile = (SOURCES / "Makefile").read_text(encoding="utf-8")
    told = re.search(r"TOLD := (.*)", makefile)
    header = (SOURCES / "executor.h").read_text(encoding="utf-8")
    codes = re.findall(r" = (\d+),", header.partition("enum exit_code {")[2].partition("};")[0])

    assert told
    assert codes
    for variable in told[1].split():
        assert f"`{variable}`" in page
    for code in codes:
        assert f"| {code} |" in page


def test_what_is_built_in_the_project_itself_is_not_the_projects() -> None:
    ignored = (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()
    left_out = (PROJECT / "MANIFEST.in").read_text(encoding="utf-8")

    assert {"/executor/executor", "/executor/told.mk"} <= set(ignored)
    assert "exclude executor/executor executor/told.mk" in left_out
