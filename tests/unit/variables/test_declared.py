"""Every mistake is reported at once, and none of them shows a secret."""

import pytest

from tests.unit.agent.settings.environs import TOKEN, mistakes, settings
from waldur_slurm.agent.settings import (
    Settings,
)
from waldur_slurm.errors import SettingsError


def test_every_mistake_is_reported_at_once_with_its_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(
            {"WALDUR_SYNC_DIRECTION": "sideways", "SLURM_DEPLOYMENT_TYPE": "podman"}
        )

    assert {mistake.split()[0].rstrip(":") for mistake in caught.value.mistakes} == {
        "WALDUR_API_URL",
        "WALDUR_API_TOKEN",
        "WALDUR_SYNC_DIRECTION",
        "WALDUR_OFFERING_UUID",
        "SLURM_DEPLOYMENT_TYPE",
    }


def test_no_secret_shows_in_settings_or_in_mistakes() -> None:
    dsn = "https://0123456789abcdef@sentry.example.com/1"
    found = settings(SENTRY_DSN=dsn)
    wrong = mistakes(
        WALDUR_API_TOKEN="hunter2 hunter2", SENTRY_DSN=f"ftp{dsn}", WALDUR_OFFERING_UUID=f"ftp{dsn}"
    )

    everything = f"{found!r} {found} {dict(found.shown())} {wrong}"
    assert len(wrong) == 3
    for secret in (TOKEN, "hunter2", "0123456789abcdef"):
        assert secret not in everything
