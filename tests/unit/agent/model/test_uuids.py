"""Waldur's uuids have one spelling."""

import pytest

from waldur_slurm.agent.model.marketplace import canonical_uuid
from waldur_slurm.errors import InvalidName


def test_uuids_have_one_spelling() -> None:
    assert canonical_uuid("0123ABCD-0000-0000-0000-000000000000") == "0123abcd" + "0" * 24


@pytest.mark.parametrize("text", ["", "x", "a" * 31, "a" * 33, "g" * 32, "a,b", "../" + "a" * 29])
def test_what_is_no_uuid_is_refused_at_the_border(text: str) -> None:
    with pytest.raises(InvalidName):
        canonical_uuid(text)
