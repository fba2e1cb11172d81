"""What holds for any argument that anybody may think of: it passes as it is, or not at all."""

import zipfile

from hypothesis import given
from hypothesis import strategies as st

from tests.trust.hostile import ANY_TEXT, fuzzed
from waldur_slurm.hand.archives import BadArchive, checked_entries
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.options import SBATCH, TOOLS, UPDATED, NotAllowed, built_argv, checked_argv
from waldur_slurm.hand.requests import parts_of, variables_file

TOOL = st.sampled_from([*TOOLS]) | ANY_TEXT
OPTION = st.sampled_from([*SBATCH, "uid", "gid", "get-user-env", "wrap"])
WORD = (
    ANY_TEXT
    | st.builds("--{}={}".format, OPTION, ANY_TEXT)
    | st.sampled_from(["hold", "update", "write", "batch_script", "-", "12", "JobId=12", "token"])
    | st.builds("{}={}".format, st.sampled_from([*UPDATED]), ANY_TEXT)
)
ARGV = st.tuples(TOOL, st.lists(WORD, max_size=6)).map(lambda both: (both[0], *both[1]))


@fuzzed(2_000, 200_000)
@given(ARGV)
def test_arguments_come_through_as_they_were_asked_for_or_not_at_all(argv: tuple[str, ...]) -> None:
    try:
        checked = checked_argv(argv)
    except NotAllowed:
        return

    assert checked == argv
    assert argv[0] in TOOLS
    assert not any(letter < " " for word in argv for letter in word)
    assert not any(word.startswith(("--uid", "--gid", "--get-user", "--wrap")) for word in argv)


@fuzzed(1_000, 100_000)
@given(ANY_TEXT)
def test_any_line_is_a_comment_as_it_is_or_is_refused(text: str) -> None:
    try:
        argv = built_argv("sbatch", {"comment": text})
    except NotAllowed:
        assert not text or len(text) > 1024 or not text.isprintable()
        return

    assert argv == ("sbatch", f"--comment={text}")
    assert not {"\n", "\r", "\0"} & {*text}


PATH = st.lists(ANY_TEXT | st.sampled_from(["..", ".", "", "a"]), max_size=4).map("/".join)


@fuzzed(1_000, 100_000)
@given(PATH.map("/{}".format) | PATH)
def test_a_path_is_the_names_on_it_or_is_refused(path: str) -> None:
    try:
        parts = parts_of(path)
    except Refused:
        return

    assert b"/" + b"/".join(parts) == path.encode("utf-8", "surrogateescape")
    assert not {b"", b".", b".."} & {*parts}


@fuzzed(1_000, 100_000)
@given(st.lists(PATH, max_size=4))
def test_an_archive_holds_plain_places_each_once_or_is_refused(names: list[str]) -> None:
    infos = [zipfile.ZipInfo("x") for _ in names]
    for info, name in zip(infos, names, strict=True):
        info.filename = info.orig_filename = name
    try:
        entries = checked_entries(infos, 10)
    except BadArchive:
        return

    assert len({entry.path for entry in entries}) == len(names)
    assert not any({b"", b".", b".."} & {*entry.path} for entry in entries)


TEXT_WITHOUT_NUL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(
    st.dictionaries(
        TEXT_WITHOUT_NUL.filter(lambda name: name and "=" not in name), TEXT_WITHOUT_NUL
    )
)
def test_no_value_of_a_variable_ends_it_or_becomes_another(variables: dict[str, str]) -> None:
    written = variables_file(variables).decode()

    assert dict(row.split("=", 1) for row in written.split("\0")[:-1]) == variables
