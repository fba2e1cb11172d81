"""An environment that is enough for the agent, and what reading a changed one comes to."""

import pytest

from waldur_slurm.agent.settings import Settings
from waldur_slurm.errors import SettingsError

TOKEN = "9e1132b9616ebfe943ddf632ca32bbb7e1109a32"
COMPLETE = {
    "WALDUR_SYNC_DIRECTION": "pull",
    "WALDUR_API_URL": "http://waldur.example.com/api/",
    "WALDUR_API_TOKEN": TOKEN,
    "WALDUR_OFFERING_UUID": "e21a0f0030b447deb63bedf69db6742e",
}


def settings(**changes: str) -> Settings:
    return Settings.from_environ(COMPLETE | changes)


def mistakes(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(**changes)
    return caught.value.mistakes
