"""Texts that come again are kept once, and never without an end."""

from uuid import UUID

import pytest

from waldur_slurm.agent.pull.world.marks import parse_mark
from waldur_slurm.agent.waldur.wire.reading import parse_uuid
from waldur_slurm.model import copies
from waldur_slurm.model.copies import one_copy, one_copy_each
from waldur_slurm.slurm.accounting.grammar.parsers import parse_associations


def made_anew(text: str) -> str:
    """An equal text in memory of its own, as a parser makes it."""
    return text.encode().decode()


def test_equal_texts_are_one() -> None:
    first, other = made_anew("alpha-1"), made_anew("alpha-1")
    assert first is not other

    assert one_copy(first) is one_copy(other)
    assert one_copy_each((other, made_anew("alpha-2")))[0] is one_copy(first)


def test_a_person_or_project_is_one_uuid_on_both_sides() -> None:
    uuid, offering = "5a" * 16, "0f" * 16

    mark = parse_mark(f"waldur/project/{offering}/{uuid} physics")

    assert mark is not None
    assert mark.uuid is parse_uuid({"uuid": str(UUID(uuid))}, "a project")


def test_names_and_limits_of_associations_are_kept_and_their_numbers_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: dict[str, str] = {}
    monkeypatch.setattr(copies, "_copies", kept)

    parse_associations("17|1|1|cpu=60||||normal||alpha|||\n18|17|1|||||normal||alpha|ann||\n")

    assert {"cpu=60", "normal", "alpha", "ann"} <= kept.keys()
    assert not {"17", "18"} & kept.keys()


def test_no_more_are_kept_than_a_large_site_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST_COPIES", 3)
    kept: dict[str, str] = {}
    monkeypatch.setattr(copies, "_copies", kept)

    assert [one_copy(str(number)) for number in range(10)] == list("0123456789")

    assert len(kept) <= 3
