"""Frames come out as they went in, however they are cut on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.hand import wire

FRAMES = st.lists(st.tuples(st.sampled_from([wire.DATA, wire.SAID]), st.binary(max_size=300)))


@given(FRAMES, st.integers(1, 50))
def test_frames_that_are_cut_anywhere_come_whole(
    frames: list[tuple[bytes, bytes]], step: int
) -> None:
    sent = b"".join(wire.framed(kind, payload) for kind, payload in frames)
    cutter = wire.Frames(wire.DATA + wire.SAID)
    pieces = [sent[at : at + step] for at in range(0, len(sent), step)]

    assert [frame for piece in pieces for frame in cutter.cut(piece)] == frames


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"D\xff\xff\xff\xff", b"E\0\0\0\0"])
def test_what_is_no_frame_is_said_at_once(data: bytes) -> None:
    with pytest.raises(wire.BrokenWire):
        list(wire.Frames(wire.DATA).cut(data))


@given(st.binary(max_size=50))
def test_any_name_of_a_file_has_a_text(name: bytes) -> None:
    assert wire.to_bytes(wire.to_text(name)) == name
