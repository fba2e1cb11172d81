"""What no variable says alone: settings that contradict each other are mistakes."""

from pathlib import Path

from tests.unit.agent.settings.environs import TOKEN, mistakes, settings


def test_a_name_length_that_cannot_tell_allocations_apart_is_a_mistake() -> None:
    (mistake,) = mistakes(
        SLURM_ALLOCATION_PREFIX="cluster_of_the_north_", SLURM_ALLOCATION_NAME_MAX_LEN="20"
    )

    assert mistake.startswith("SLURM_ALLOCATION_NAME_MAX_LEN: found 20, expected at least 29")


def test_two_services_must_not_undo_each_others_limits() -> None:
    (mistake,) = mistakes(PULL_ENFORCE_LIMITS="true")

    assert "PUSH_LIMITS=report-only" in mistake


def test_the_token_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")

    found = settings(WALDUR_API_TOKEN="", WALDUR_API_TOKEN_FILE=str(file))

    assert found.api_token.reveal() == TOKEN


def test_a_token_file_that_is_missing_or_holds_no_token_is_a_mistake(tmp_path: Path) -> None:
    missing = mistakes(WALDUR_API_TOKEN="", WALDUR_API_TOKEN_FILE=str(tmp_path / "none"))
    (tmp_path / "two").write_text("one two", encoding="ascii")
    two = mistakes(WALDUR_API_TOKEN="", WALDUR_API_TOKEN_FILE=str(tmp_path / "two"))

    assert missing == [
        f"WALDUR_API_TOKEN_FILE: cannot read {tmp_path}/none: No such file or directory"
    ]
    assert two == [
        f"WALDUR_API_TOKEN_FILE: {tmp_path}/two holds no token; expected one line of ASCII"
    ]


def test_the_token_comes_from_one_place_only() -> None:
    assert mistakes(WALDUR_API_TOKEN_FILE="/run/token") == [
        "WALDUR_API_TOKEN and WALDUR_API_TOKEN_FILE are both set; expected only one of them"
    ]
    assert mistakes(WALDUR_API_TOKEN="") == [
        "WALDUR_API_TOKEN is not set; expected the token of a service provider's account"
    ]
