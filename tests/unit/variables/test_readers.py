"""Text becomes a typed value, or a mistake that says what was expected."""

from datetime import timedelta

import pytest

from tests.unit.agent.settings.environs import mistakes, settings


def test_a_mistyped_flag_is_a_mistake_not_a_no() -> None:
    assert mistakes(ENABLE_USER_HOMEDIR_ACCOUNT_CREATION="ture") == [
        "ENABLE_USER_HOMEDIR_ACCOUNT_CREATION: found 'ture', expected true or false"
    ]


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("TRUE", True), ("0", False)])
def test_flags_are_read_in_the_spellings_of_the_original(text: str, value: bool) -> None:
    assert settings(ENABLE_USER_HOMEDIR_ACCOUNT_CREATION=text).pull.create_homes is value


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("2d", 172_800)]
)
def test_times_are_seconds_or_carry_a_unit(text: str, seconds: int) -> None:
    assert settings(WALDUR_SYNC_INTERVAL=text).interval == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["0", "-5", "1.5", "5 minutes", "soon", "٣"])
def test_other_times_are_mistakes(text: str) -> None:
    (mistake,) = mistakes(WALDUR_SYNC_INTERVAL=text)

    assert mistake.endswith("expected a time of at least 1 s such as 90, 90s, 15m or 24h")
