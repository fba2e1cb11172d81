"""What a site allows is read as it is written, and what is doubtful is refused."""

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.doors.principals import run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.settings import Settings

ISSUER = {
    "GATEWAY_OIDC_ISSUER": "https://login.example.org/realms/hpc",
    "GATEWAY_OIDC_AUDIENCE": "slurm-gateway",
    "GATEWAY_ROLES": "* may jobs:read",
}


def mistakes(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ(environ)
    return refused.value.mistakes


def test_by_default_nothing_is_allowed_to_anybody_without_a_token() -> None:
    settings = Settings.from_environ({})

    assert settings.anonymous_scopes == frozenset()
    assert tuple(settings.trusted_networks) == ()
    assert settings.trusted_proxies == ()
    assert settings.cors_origins == frozenset()
    assert settings.oidc_issuer is None


def test_a_network_is_a_sentence_with_scopes_and_users() -> None:
    text = "10.1.0.0/16 may jobs:submit, jobs:cancel as ann,@physics; ::1 may jobs:read ;"
    office, loopback = Settings.from_environ({"GATEWAY_TRUSTED_NETWORKS": text}).trusted_networks

    assert str(office.network) == "10.1.0.0/16"
    assert office.scopes == {Scope.JOBS_SUBMIT, Scope.JOBS_CANCEL}
    assert office.run_as == run_as("ann,@physics")
    assert (str(loopback.network), str(loopback.run_as)) == ("::1/128", "")


def test_a_role_is_a_sentence_about_a_group_whatever_it_is_called() -> None:
    text = "/hpc/May admins may jobs:read:all as any; * may jobs:read"
    admins, everybody = Settings.from_environ({**ISSUER, "GATEWAY_ROLES": text}).roles

    assert (admins.group, admins.run_as.anybody) == ("/hpc/May admins", True)
    assert (everybody.group, everybody.scopes) == ("*", frozenset({Scope.JOBS_READ}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "GATEWAY_TRUSTED_NETWORKS",
            "10.1.0.0/16 may jobs:submit as ann,@physics; ::1 may jobs:read",
        ),
        ("GATEWAY_TRUSTED_PROXIES", "10.8.0.1, 2001:db8::/64"),
        ("GATEWAY_ROLES", "hpc admins may jobs:read:all as any; * may jobs:read"),
        ("GATEWAY_HOSTS", "gw.example.org"),
        ("GATEWAY_CORS_ORIGINS", "https://front.example.org"),
        ("GATEWAY_OIDC_USERNAME", r"([a-z]+)@example\.org"),
    ],
)
def test_what_is_shown_is_read_back_as_the_same(name: str, text: str) -> None:
    settings = Settings.from_environ({**ISSUER, name: text})
    shown = dict(settings.shown())

    again = Settings.from_environ({**ISSUER, name: shown[name]})

    assert dict(again.shown()) == shown
    assert again == settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GATEWAY_TRUSTED_NETWORKS", "10.1.0.0/16"),
        ("GATEWAY_TRUSTED_NETWORKS", "10.1.0.0/16 jobs:read"),
        ("GATEWAY_TRUSTED_NETWORKS", "10.1.0.0/16 may jobs:everything"),
        ("GATEWAY_TRUSTED_NETWORKS", "10.1.0.0/16 may jobs:read as 1000"),
        ("GATEWAY_TRUSTED_NETWORKS", "10.1.2.3/16 may jobs:read"),
        ("GATEWAY_TRUSTED_NETWORKS", "0.0.0.0/0 may jobs:read"),
        ("GATEWAY_TRUSTED_NETWORKS", "::/0 may jobs:read"),
        ("GATEWAY_TRUSTED_NETWORKS", "office may jobs:read"),
        ("GATEWAY_TRUSTED_NETWORKS", "127.0.0.1 may jobs:submit as ann"),
        ("GATEWAY_TRUSTED_NETWORKS", "::1 may jobs:submit as any"),
        ("GATEWAY_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("GATEWAY_HOSTS", "https://gw.example.org"),
        ("GATEWAY_CORS_ORIGINS", "*"),
        ("GATEWAY_CORS_ORIGINS", "https://front.example.org/"),
        ("GATEWAY_MIN_UID", "0"),
        ("GATEWAY_PACE_AT_ONCE", "0"),
        ("GATEWAY_OIDC_ISSUER", "http://login.example.org/realms/hpc"),
        ("GATEWAY_OIDC_ISSUER", "http://127.0.0.1.evil.example/"),
        ("GATEWAY_OIDC_USERNAME", "[a-z]+"),
        ("GATEWAY_OIDC_USERNAME", "(["),
    ],
)
def test_what_is_doubtful_is_refused_by_its_name(name: str, text: str) -> None:
    (mistake,) = mistakes(**{**ISSUER, name: text})

    assert mistake.startswith(f"{name}: found ")
    assert "expected" in mistake


def test_an_issuer_needs_an_audience_and_somebody_who_may_do_something() -> None:
    assert mistakes(GATEWAY_OIDC_ISSUER="https://login.example.org") == [
        "GATEWAY_OIDC_AUDIENCE is not set; GATEWAY_OIDC_ISSUER needs it",
        "GATEWAY_ROLES is not set; GATEWAY_OIDC_ISSUER needs it",
    ]


def test_the_lowest_uid_is_not_above_the_highest() -> None:
    assert mistakes(GATEWAY_MIN_UID="5000", GATEWAY_MAX_UID="1000") == [
        "GATEWAY_MIN_UID is 5000, above GATEWAY_MAX_UID, 1000"
    ]
