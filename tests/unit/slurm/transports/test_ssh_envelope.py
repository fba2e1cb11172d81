"""Only what stands between a command's own marks is its output, however it arrives."""

from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.slurm.transports.ssh_envelope import Frame, envelope

MARK = "0" * 16 + "f" * 16
BEGIN, END = f"{MARK}+".encode(), f"{MARK}-".encode()
WRITTEN = st.lists(
    st.sampled_from([b"a", b"\n", b"0", b"f", b"+", b"-", BEGIN, b"0" * 16, END[:-1]])
).map(b"".join)
UNAWARE = WRITTEN.filter(lambda written: END not in written)
"""No command knows its mark."""


@given(noise=st.sampled_from([b"", b"welcome\n"]), written=UNAWARE, size=st.integers(1, 70))
def test_what_a_command_wrote_arrives_whole_in_pieces_of_any_size(
    noise: bytes, written: bytes, size: int
) -> None:
    frame = Frame(MARK)
    sent = noise + BEGIN + written + END + b"255\nConnection closed.\n"
    pieces = (sent[start : start + size] for start in range(0, len(sent), size))
    assert b"".join(map(frame.cut, pieces)) == written
    assert frame.code == 255


def test_output_is_passed_on_at_once_not_when_more_comes() -> None:
    frame = Frame(MARK)
    assert frame.cut(BEGIN + b"ready\n") == b"ready\n"
    assert frame.cut(b"x0") == b"x"
    assert frame.cut(b"y") == b"0y"


def test_output_that_was_cut_off_has_no_code() -> None:
    for ending in (b"", END[:-1], END, END + b"25"):
        frame = Frame(MARK)
        frame.cut(BEGIN + b"out\n" + ending)
        assert frame.code is None


def test_what_is_said_before_the_command_begins_is_noise_within_a_bound() -> None:
    frame = Frame(MARK)
    assert frame.cut(b"x" * 200_000 + b"no such user") == b""
    assert not frame.has_begun
    assert len(frame.noise) < 100_000
    assert frame.noise.endswith(b"no such user")


def test_an_envelope_is_one_line_of_plain_characters() -> None:
    sent = envelope(("printf", "a\nü\\"), {"V": "x\ny"}, seconds=2.5, mark=MARK)
    assert sent.endswith(b"\n")
    assert sent.count(b"\n") == 1
    assert sent.rstrip(b"\n").isascii()
