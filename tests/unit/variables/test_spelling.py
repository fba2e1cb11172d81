"""What settings show is read back as the same settings."""

from tests.unit.agent.settings.environs import TOKEN, settings
from waldur_slurm.agent.settings import (
    Settings,
)


def test_settings_show_what_is_in_force() -> None:
    shown = dict(settings(PUSH_MAX_DECREASE="7%").shown())

    assert shown["WALDUR_API_TOKEN"] == "<secret>"
    assert shown["WALDUR_SYNC_INTERVAL"] == "60s"
    assert shown["REQUESTS_VERIFY_SSL"] == "true"
    assert shown["PULL_MAX_REMOVALS"] == "10,10%"
    assert shown["PUSH_MAX_DECREASE"] == "7%"
    assert shown["SLURM_PROTECTED_USERS"] == "root"
    assert shown["SENTRY_DSN"] == ""


def test_what_settings_show_is_read_back_as_the_same_settings() -> None:
    found = settings(
        PULL_MAX_REMOVALS="3,2.5%",
        SLURM_EMPTY_ACCOUNT_GRACE="36h",
        SLURM_ACCOUNT_DEFAULTS="qos=normal,long defaultqos=long",
    )

    again = Settings.from_environ(dict(found.shown()) | {"WALDUR_API_TOKEN": TOKEN})

    assert dict(again.shown()) == dict(found.shown())
