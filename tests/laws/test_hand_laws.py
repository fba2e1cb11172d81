"""What holds for any argument that anybody may think of: it passes as it is, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from tests.trust.hostile import ANY_TEXT, fuzzed
from waldur_slurm.hand.options import SBATCH, TOOLS, UPDATED, NotAllowed, built_argv, checked_argv

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
