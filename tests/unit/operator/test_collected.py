"""The last words of a companion fit into what Kubernetes keeps, and are read as they were meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.operator.model.collected import (
    LONGEST,
    CollectedFile,
    collected,
    read_message,
    to_message,
)

FILES = st.builds(
    CollectedFile,
    path=st.text(st.characters(), min_size=1, max_size=300),
    size=st.integers(0, 2**60),
    sha256=st.just("0" * 64),
)


@given(st.lists(FILES, max_size=80), st.text(max_size=2000))
def test_it_always_fits_and_counts_all(files: list[CollectedFile], words: str) -> None:
    text = to_message(collected(files, words))
    said = read_message(text)

    assert len(text.encode()) <= LONGEST
    assert said is not None
    assert (said.count, said.size) == (len(files), sum(file.size for file in files))
    assert said.files == tuple(files[: len(said.files)])
    assert words.startswith(said.words.removesuffix("...")) or words == said.words


def test_as_many_files_are_named_as_fit() -> None:
    files = [CollectedFile(f"out/{number}.csv", 10, "0" * 64) for number in range(1000)]
    said = read_message(to_message(collected(files)))

    assert said is not None
    assert said.count == 1000
    assert 40 <= len(said.files) < 60


@pytest.mark.parametrize(
    "text", ["", "Killed", "[]", "7", '{"count": 1}', '{"count": 1, "size": 2, "files": [[1]]}']
)
def test_what_nobody_of_ours_said_is_not_taken_for_it(text: str) -> None:
    assert read_message(text) is None
