"""How pages say states and sizes of what the gateway keeps itself."""

import pytest

from waldur_slurm.gateway.web.pages.words import octets, stage_tone, state_tone


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("PENDING", "waiting"),
        ("RUNNING", "running"),
        ("RUNNING+STAGE_OUT", "running"),
        ("SUSPENDED", "paused"),
        ("COMPLETED", "good"),
        ("CANCELLED by 1000", "over"),
        ("FAILED", "bad"),
        ("REFUSED", "bad"),
        ("UNKNOWN", "unknown"),
        ("<b>", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_word_of_slurms_has_the_colour_of_its_kind(state: str, tone: str) -> None:
    assert state_tone(state) == tone


def test_only_what_went_well_looks_so() -> None:
    stages = ("watching", "ended", "expired", "given-up", "waiting", "delivered", "dead")

    assert [each for each in stages if stage_tone(each) == "good"] == ["ended", "delivered"]
    assert [each for each in stages if stage_tone(each) == "bad"] == ["given-up", "dead"]


def test_a_size_is_said_in_what_it_is_counted_in() -> None:
    assert [octets(count) for count in (0, 1023, 1024, 2**20, 3 * 2**30)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1 MiB",
        "3.0 GiB",
    ]
