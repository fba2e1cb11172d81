"""Ways to act that need more than their name."""

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.settings import Settings

LOGIN = {
    "GATEWAY_EXECUTOR": "ssh",
    "SSH_HOSTNAME": "login.example.org",
    "SSH_USERNAME": "portal",
    "SSH_PRIVATE_KEY_PATH": "/etc/slurm-gateway/id_ed25519",
    "GATEWAY_SSH_KNOWN_HOSTS": "/etc/slurm-gateway/known_hosts",
    "GATEWAY_HAND_CONF": "/etc/slurm-gateway/hand.conf",
}


def test_a_login_is_whole() -> None:
    login = Settings.from_environ(LOGIN).acting.login

    assert (login.host, login.port, login.user) == ("login.example.org", 22, "portal")


@pytest.mark.parametrize("name", [name for name in LOGIN if name != "GATEWAY_EXECUTOR"])
def test_a_login_with_a_part_missing_names_the_part(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({**LOGIN, name: ""})

    assert refused.value.mistakes == [f"{name} is not set; GATEWAY_EXECUTOR=ssh needs it"]


def test_a_conf_of_ones_own_is_for_those_who_are_one_user() -> None:
    told = {"GATEWAY_EXECUTOR": "sudo", "GATEWAY_HAND_CONF": "/etc/hand.conf"}
    with pytest.raises(SettingsError, match="GATEWAY_EXECUTOR=self or ssh alone"):
        Settings.from_environ(told)
