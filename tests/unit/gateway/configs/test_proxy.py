"""slurm-proxy's environment and `.env`: each name has an effect, or is named with the reason."""

from datetime import timedelta
from pathlib import Path

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.configs.files import take_dotenv, take_files
from waldur_slurm.gateway.configs.proxy import is_of_proxy, read_proxy
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.surfaces import Surface

KEY = "c2VjcmV0LWtleS1vZi1zbHVybQ=="
DOTENV = f"""\
# what its document has people set
FLASK_APP_NAME=slurm-proxy
FLASK_APP_PORT=5001
FLASK_APP_DEBUG_MODE=true
SLURM_JWT_HS256_KEY_BASE64={KEY}
SLURM_REST_HOST="http://slurm-rest:6820"
SLURM_REST_API_DATA_PARSER_PLUGIN_VERSION=0.0.42
SLURM_REST_JWT_EXPIRATION_TIME=10
export SSH_USERNAME=svc-slurm
MONGODB_URI=mongodb://user:hunter22@localhost:27017
MONGODB_MONITOR_JOB_CREATED_AT_MAX_AGE=14
MONITOR_POLLING_INTERVAL=2
NOTIFICATIONS_SMTP_SERVER=mail.example.org
NOTIFICATIONS_SMTP_PORT=2525
NOTIFICATIONS_SMTP_USERNAME=slurm@example.org
NOTIFICATIONS_SMTP_PASSWORD=hunter2
NOTIFICATIONS_SLACK_BOT_TOKEN=xoxb-1
SLACK_CHANNEL=hpc
"""
IGNORED = {
    "FLASK_APP_NAME",
    "FLASK_APP_DEBUG_MODE",
    "SLURM_JWT_HS256_KEY_BASE64",
    "SLURM_REST_JWT_EXPIRATION_TIME",
    "SSH_USERNAME",
    "MONGODB_URI",
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """What the gateway has once it took the file."""
    path = tmp_path / ".env"
    path.write_text(DOTENV, encoding="utf-8")
    found = {"DOTENV_FILE": str(path)}
    take_dotenv(found)
    return found


def test_its_file_says_what_it_always_said_in_the_gateways_own_settings(
    environ: dict[str, str],
) -> None:
    take_files([], environ)
    settings = Settings.from_environ(environ)

    assert [str(listener) for listener in settings.listen] == [
        "127.0.0.1:8040",
        "127.0.0.1:5001=proxy",
    ]
    assert settings.listen[1].surfaces == {Surface.PROXY}
    assert settings.letters.smtp_server == "mail.example.org"
    assert settings.letters.smtp_port == 2525
    assert settings.letters.smtp_from == "slurm@example.org"
    assert settings.letters.slack_token is not None
    assert settings.letters.slack_channel == "hpc"
    assert str(settings.acting.slurmrestd) == "http://slurm-rest:6820"
    assert settings.proxy.version == 42
    assert settings.monitors.interval == timedelta(minutes=2)
    assert settings.monitors.max_age == timedelta(days=14)


def test_what_has_no_effect_is_named_with_the_reason_and_never_shown(
    environ: dict[str, str],
) -> None:
    not_honoured = take_files([], environ)

    assert {each.key for each in not_honoured} == IGNORED
    said = " ".join(each.why for each in not_honoured)
    assert "hunter" not in said
    assert KEY not in said
    assert "scontrol token" in said


def test_slurms_key_and_the_databases_password_reach_no_program_that_is_started(
    environ: dict[str, str],
) -> None:
    take_files([], environ)

    assert not {"SLURM_JWT_HS256_KEY_BASE64", "MONGODB_URI"} & environ.keys()


def test_what_is_set_has_precedence_over_the_file(environ: dict[str, str], tmp_path: Path) -> None:
    told = {"DOTENV_FILE": environ["DOTENV_FILE"], "FLASK_APP_PORT": "5100"}
    take_dotenv(told)
    take_files([], told)

    assert told["GATEWAY_LISTEN"] == "127.0.0.1:8040,127.0.0.1:5100=proxy"


def test_an_address_that_the_gateways_own_setting_replaces_is_said() -> None:
    told = {"FLASK_APP_HOST": "0.0.0.0", "FLASK_APP_PORT": "5001"}  # noqa: S104 - as its own is
    own = {**told, "GATEWAY_LISTEN": "127.0.0.1:8040,0.0.0.0:5001=proxy"}
    other = {**told, "GATEWAY_LISTEN": "127.0.0.1:8040"}

    assert [each.key for each in read_proxy(told).not_honoured] == []
    assert [each.key for each in read_proxy(own).not_honoured] == []
    assert [each.key for each in read_proxy(other).not_honoured] == [
        *("FLASK_APP_PORT", "FLASK_APP_HOST")
    ]


def test_a_name_of_the_code_counts_before_the_documents_and_that_is_said() -> None:
    told = read_proxy({"SMTP_SERVER": "a.example", "NOTIFICATIONS_SMTP_SERVER": "b.example"})

    assert [each.key for each in told.not_honoured] == ["NOTIFICATIONS_SMTP_SERVER"]


@pytest.mark.parametrize("name", ["SLURM_REST_HOST", "SLURM_REST_URL"])
def test_the_path_that_one_of_its_addresses_has_is_not_taken_over(name: str) -> None:
    told = read_proxy({name: "https://slurm.example.org/slurm/v0.0.42"})

    assert told.variables == {"GATEWAY_SLURMRESTD_URL": "https://slurm.example.org"}


def test_ssh_is_honoured_where_it_is_the_way_to_slurm() -> None:
    told = read_proxy({"SSH_USERNAME": "svc", "GATEWAY_EXECUTOR": "ssh"})

    assert told.not_honoured == ()


def test_mistakes_are_told_all_at_once() -> None:
    environ = {
        "FLASK_APP_PORT": "five",
        "SLURM_REST_HOST": "slurm-rest",
    }
    with pytest.raises(SettingsError) as raised:
        take_files([], environ)

    assert len(raised.value.mistakes) == 2


def test_an_environment_that_is_not_its_own_is_left_alone() -> None:
    environ = {"SMTP_SERVER": "mail.example.org", "SSH_USERNAME": "me", "SLURM_CONF": "/x"}

    assert not is_of_proxy(environ)
    assert take_files([], environ) == ()
    assert "GATEWAY_LISTEN" not in environ


def test_a_dotenv_that_cannot_be_read_is_said_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DOTENV_FILE: cannot read"):
        take_dotenv({"DOTENV_FILE": str(tmp_path / "nothing")})
