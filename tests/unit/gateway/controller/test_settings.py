"""A controller is a gateway with these settings and no others."""

from pathlib import Path

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.controller.arguments import parse
from waldur_slurm.gateway.controller.parts import settings_of
from waldur_slurm.gateway.controller.place import Own
from waldur_slurm.gateway.controller.serving import refuse_others_settings
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.acting import Executor
from waldur_slurm.gateway.surfaces import Surface

OWN = Own(Path("/state/hand"), Path("/state/hand.conf"))


def settings(*words: str, **environ: str) -> Settings:
    return settings_of(parse(words), environ, OWN, "/state", "/usr/bin", 1001)


def test_it_serves_the_originals_routes_alone_as_itself() -> None:
    made = settings()

    (listener,) = made.listen
    assert str(listener.at) == "127.0.0.1:8080"
    assert listener.surfaces == frozenset({Surface.CONTROLLER})
    assert made.acting.executor is Executor.SELF
    assert (made.min_uid, made.max_uid) == (1001, 1001)
    assert made.anonymous_scopes == frozenset()
    assert str(made.state_dir) == "/state"


def test_the_gateways_own_api_is_served_where_it_is_asked_for() -> None:
    (listener,) = settings("-api").listen

    assert listener.surfaces == frozenset({Surface.CONTROLLER, Surface.NATIVE})


def test_an_ipv6_address_is_listened_at() -> None:
    assert str(settings("-host", "::1").listen[0].at) == "[::1]:8080"


def test_how_much_is_told_may_be_said_and_nothing_that_opens_a_door() -> None:
    told = {"GATEWAY_LOG_LEVEL": "debug", "GATEWAY_ANONYMOUS_SCOPES": "jobs:submit"}

    assert settings(**told).log_level == "debug"
    assert settings(**told).anonymous_scopes == frozenset()


@pytest.mark.parametrize("name", ["GATEWAY_TRUSTED_NETWORKS", "GATEWAY_EXECUTOR", "GATEWAY_LISTEN"])
def test_another_gateways_settings_are_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is nothing that it takes; unset it"):
        refuse_others_settings({name: "x"})
    refuse_others_settings({"GATEWAY_LOG_LEVEL": "debug", "GATEWAY_URL": "http://x", "HOME": "/"})


def test_no_other_gateway_can_be_told_to_serve_these_routes() -> None:
    with pytest.raises(SettingsError, match="GATEWAY_LISTEN"):
        Settings.from_environ({"GATEWAY_LISTEN": "127.0.0.1:8080=controller"})
    (listener,) = Settings.from_environ({}).listen
    assert Surface.CONTROLLER not in listener.surfaces
