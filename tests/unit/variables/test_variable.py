"""Quotes, comments and blanks around a value are not part of it."""

from tests.unit.agent.settings.environs import TOKEN, mistakes, settings
from waldur_slurm.agent.settings import (
    Direction,
    Settings,
)


def test_a_mistake_says_what_was_found_and_what_is_expected() -> None:
    assert mistakes(WALDUR_SYNC_DIRECTION="sideways") == [
        "WALDUR_SYNC_DIRECTION: found 'sideways', expected pull or push"
    ]


def test_an_env_file_of_the_original_agent_works_with_its_comments() -> None:
    found = Settings.from_environ(
        {
            "WALDUR_SYNC_DIRECTION": "pull # The setup for service-pull",
            "WALDUR_API_URL": "http://waldur.example.com/api/ # Waldur API URL",
            "WALDUR_API_TOKEN": f"{TOKEN} # Token of a service provider in Waldur",
            "WALDUR_OFFERING_UUID": "e21a0f0030b447deb63bedf69db6742e # UUID of SLURM offering",
            "SLURM_DEFAULT_ACCOUNT": "root # Default account for SLURM",
            "SLURM_CONTAINER_NAME": "slurmctld # Name of SLURM namenode container",
            "SENTRY_DSN": "# not used here",
        }
    )

    assert found.direction is Direction.PULL
    assert found.api_url == "http://waldur.example.com/api/"
    assert found.api_token.reveal() == TOKEN
    assert found.pull.default_account == "root"
    assert found.container_name == "slurmctld"
    assert found.sentry_dsn is None


def test_quotes_around_a_value_are_not_part_of_it() -> None:
    assert settings(SLURM_DEFAULT_ACCOUNT="'waldur_2' # quoted").pull.default_account == "waldur_2"


def test_an_empty_value_counts_as_not_set() -> None:
    assert settings(SLURM_DEFAULT_ACCOUNT="").pull.default_account == "waldur"
    assert mistakes(WALDUR_API_URL=" ") == [
        "WALDUR_API_URL is not set; expected the address of Waldur's API"
    ]
