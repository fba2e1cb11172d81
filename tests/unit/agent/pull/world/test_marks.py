"""A mark survives Slurm, and what is not a mark to the letter is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.agent.model.marketplace import OfferingUuid
from waldur_slurm.agent.pull.world.marks import Mark, MarkKind, looks_marked, parse_mark
from waldur_slurm.slurm.accounting.grammar.text import clean_text

uuids = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(kind=st.sampled_from(list(MarkKind)), offering=uuids, uuid=uuids, name=st.text())
def test_a_mark_is_read_back_from_what_slurm_stores(
    kind: MarkKind, offering: str, uuid: str, name: str
) -> None:
    mark = Mark(kind, OfferingUuid(offering), uuid)
    description = mark.describe(name)

    assert clean_text(description) == description
    assert parse_mark(description) == mark
    assert len(description) <= 125


@pytest.mark.parametrize(
    "description",
    [
        "",
        "alloc",
        f" waldur/resource/{'a' * 32}/{'b' * 32}",
        f"WALDUR/resource/{'a' * 32}/{'b' * 32}",
        f"waldur/resource/{'a' * 32}/{'b' * 31}",
        f"waldur/resource/{'a' * 32}/{'b' * 32}c",
        f"waldur/resource/{'a' * 32}/{'b' * 32}\nother",
        f"waldur/resource/{'A' * 32}/{'b' * 32}",
        f"waldur/account/{'a' * 32}/{'b' * 32} name",
        f"waldur/resource/{'b' * 32}",
    ],
)
def test_what_is_not_a_mark_to_the_letter_is_none(description: str) -> None:
    assert parse_mark(description) is None


def test_a_mark_of_some_other_make_is_known_to_be_somebodys() -> None:
    assert looks_marked("waldur/resource/v9/what is this")
    assert not looks_marked("the waldur account")
