"""What a `Range` asks for, and what of it there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.gateway.web.native.ranges import NOTHING, Part, content_range, parse_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-99", Part(0, 100)),
        ("bytes=5-5", Part(5, 6)),
        ("bytes=100-", Part(100)),
        ("bytes=-500", Part(-500)),
        ("bytes=-0", NOTHING),
        (" BYTES = 1 - 2 ", Part(1, 3)),
    ],
)
def test_one_part_is_understood(header: str, part: Part) -> None:
    assert parse_range(header) == part


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=9-1", "bytes=0-1,5-6", "items=0-1",
     "bytes=1--2", "bytes=\u0661-", "bytes=" + "9" * 19 + "-", "bytes=0-1\n5"],
)  # fmt: skip
def test_what_is_not_understood_is_as_if_it_were_not_there(header: str) -> None:
    assert parse_range(header) is None


def test_what_is_sent_is_said_with_its_last_byte() -> None:
    assert content_range(Part(0, 100), 1000) == "bytes 0-99/1000"


PARTS = st.builds(Part, st.integers(-50, 50), st.none() | st.integers(0, 60))


@given(PARTS, st.binary(max_size=40))
def test_a_part_is_what_a_slice_is_and_lies_within_the_file(part: Part, content: bytes) -> None:
    found = part.within(len(content))
    if part.first < 0:
        part = Part(part.first)
        found = part.within(len(content))

    expected = content[part.first : part.end]

    assert (content[found.first : found.end] if found else b"") == expected
    assert found is None or 0 <= found.first < (found.end or 0) <= len(content)
