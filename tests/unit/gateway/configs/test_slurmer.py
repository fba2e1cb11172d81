"""Slurmer's `config.yml`, as it is: each key has an effect, or is named with the reason."""

from pathlib import Path

import pytest
import yaml

from tests.places import PROJECT
from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.configs.files import take_files
from waldur_slurm.gateway.configs.slurmer import OVERRIDES, read_slurmer
from waldur_slurm.gateway.configs.told import Told
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.surfaces import Surface

SAMPLE = """\
slurmrest:
  url: "http+unix:///default?socket=/tmp/slurmrestd.sock"

slurmer:
  ip: 127.0.0.1
  port: 8080
  connector: slurmcli
  working_dir: /var/lib/slurmer
  templates_dir: /etc/slurmer/templates
  executor_path: /usr/bin/executor
  poll_interval: 7
  applications:
    - name: app1
      token: averycomplicatedchallenge
      uuid: a9a5fc66-9bed-4a13-874a-d8d7d1756224 # a random app uuid
  logs:
    format: text
    stdout: false
    output: /var/logs/slurmer.log
    level: debug

oidc:
  enabled: false
  issuer: ""
  audience: ""
"""
ON = {"enabled": True, "issuer": "https://login.example.org", "audience": "slurmer"}


def told(text: str, **environ: str) -> Told:
    return read_slurmer(yaml.safe_load(text), environ)


def settings(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "config.yml"
    path.write_text(text, encoding="utf-8")
    take_files([path], environ)
    return Settings.from_environ(environ)


def test_the_example_that_is_shipped_is_taken_and_says_where_it_listens(tmp_path: Path) -> None:
    shipped = (PROJECT / "configs" / "config-example.yml").read_text(encoding="utf-8")

    found = settings(tmp_path, shipped)

    (listener,) = (each for each in found.listen if each.surfaces == {Surface.SLURMER})
    assert str(listener.at) == "127.0.0.1:8080"


def test_every_key_of_the_documents_sample_reaches_the_gateway_or_is_named(tmp_path: Path) -> None:
    found = settings(tmp_path, SAMPLE)

    (listener,) = (each for each in found.listen if each.surfaces == {Surface.SLURMER})
    assert str(listener.at) == "127.0.0.1:8080"
    assert found.slurmer.directory == Path("/var/lib/slurmer")
    assert found.slurmer.templates == Path("/etc/slurmer/templates")
    assert found.state_dir == Path("/var/lib/slurmer/gateway")
    assert found.jobs_age.total_seconds() == 7
    assert found.log_file == Path("/var/logs/slurmer.log")
    assert (found.log_format, found.log_level) == ("text", "debug")
    (app,) = found.slurmer.told
    assert (app.name, app.token) == ("app1", "averycomplicatedchallenge")
    assert found.acting.executor == "setuid"
    assert found.acting.setuid_program == Path("/usr/bin/executor")
    assert found.acting.connector == "commands"
    assert not found.slurmer.needs_issuer
    assert [key.key for key in told(SAMPLE).not_honoured] == [
        "slurmrest.url",
        "slurmer.logs.stdout",
    ]


def test_a_token_of_the_file_is_a_secret_and_never_shown(tmp_path: Path) -> None:
    found = settings(tmp_path, SAMPLE)

    assert "averycomplicatedchallenge" not in str([*found.shown()])
    assert any("averycomplicatedchallenge" in secret for secret in found.secrets())


def test_what_the_file_does_not_say_is_what_the_original_took_for_it(tmp_path: Path) -> None:
    found = settings(tmp_path, "slurmer:\n  working_dir: /var/lib/slurmer\n")

    assert found.jobs_age.total_seconds() == 10
    assert found.slurmer.told == ()
    assert any(str(each) == "127.0.0.1:8080=slurmer" for each in found.listen)


CHANGED = {
    "SLURMER_IP": ("127.0.0.2", "GATEWAY_LISTEN"),
    "SLURMER_PORT": ("8181", "GATEWAY_LISTEN"),
    "SLURMER_WD": ("/srv/slurmer", "GATEWAY_APPS_DIR"),
    "SLURMER_TEMPLATES_DIR": ("/srv/templates", "GATEWAY_APPS_TEMPLATES"),
    "SLURMER_POLL_INTERVAL": ("3", "GATEWAY_JOBS_AGE"),
    "SLURMER_LOGS_FORMAT": ("json", "GATEWAY_LOG_FORMAT"),
    "SLURMER_LOGS_OUTPUT": ("/srv/log", "GATEWAY_LOG_FILE"),
    "SLURMER_LOGS_LEVEL": ("panic", "GATEWAY_LOG_LEVEL"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_variable_of_the_originals_wins_over_the_file(name: str) -> None:
    value, variable = CHANGED[name]
    before, after = told(SAMPLE), told(SAMPLE, **{name: value})

    if variable == "GATEWAY_LISTEN":
        assert value in after.listens[0]
        return
    expected = {"3": "3s", "panic": "error"}.get(value, value)
    assert before.variables[variable] != after.variables[variable] == expected


@pytest.mark.parametrize("prefix", ["", "SLURMER_"])
def test_variables_of_the_issuer_are_taken_by_both_of_their_names(prefix: str) -> None:
    environ = {f"{prefix}OIDC_{key.upper()}": str(value) for key, value in ON.items()}
    found = told(SAMPLE, **environ).variables

    assert found["GATEWAY_SLURMER_OIDC"] == "true"
    assert found["GATEWAY_OIDC_ISSUER"] == ON["issuer"]
    assert found["GATEWAY_OIDC_AUDIENCE"] == "slurmer"


@pytest.mark.parametrize("text", ["no", "false"])
def test_a_flag_of_the_environment_is_off_where_the_original_has_it_off(text: str) -> None:
    on = SAMPLE.replace("enabled: false", "enabled: true")

    assert "GATEWAY_SLURMER_OIDC" not in told(on, SLURMER_OIDC_ENABLED=text).variables


def test_every_variable_of_the_originals_names_a_key_that_is_read() -> None:
    for name, path in OVERRIDES.items():
        key = ".".join(path)
        wrong = {name: "x"}
        assert not any(
            each.key == key and "no such setting" in each.why
            for each in told(SAMPLE, **wrong).not_honoured
        )


def test_an_issuer_that_signs_in_is_of_no_use_without_an_apps_token(tmp_path: Path) -> None:
    text = SAMPLE.partition("oidc:")[0] + yaml.safe_dump({"oidc": ON})
    found = settings(tmp_path, text)

    assert found.slurmer.needs_issuer
    assert [str(role) for role in found.roles] == ["* may apps:use"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("port: 8080", "slurmer.port: expected a number"),
        ("level: debug", "slurmer.logs.level: expected one of"),
        ("poll_interval: 7", "slurmer.poll_interval: expected a number of seconds"),
        ("- name: app1", "slurmer.applications: expected a list of apps"),
    ],
)
def test_a_mistake_is_named_and_no_value_is_shown(tmp_path: Path, broken: str, words: str) -> None:
    text = SAMPLE.replace(broken, broken.partition(":")[0] + ": [hidden]")
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, text)

    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_key_that_the_original_does_not_know_is_named() -> None:
    keys = [key.key for key in told("slurmer:\n  color: red\n  logs: {size: 3}\n").not_honoured]

    assert keys == ["slurmer.color", "slurmer.logs.size"]


def test_a_variable_of_the_gateways_own_wins_over_both(tmp_path: Path) -> None:
    found = settings(tmp_path, SAMPLE, GATEWAY_JOBS_AGE="2s", SLURMER_POLL_INTERVAL="3")

    assert found.jobs_age.total_seconds() == 2


def test_without_an_executor_of_the_originals_the_hand_is_reached_by_sudo(tmp_path: Path) -> None:
    assert settings(tmp_path, "slurmer: {working_dir: /x}\n").acting.executor == "sudo"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http+unix:///default?socket=/tmp/slurmrestd.sock", "unix:/tmp/slurmrestd.sock"),
        ("http://127.0.0.1:6820", "http://127.0.0.1:6820"),
    ],
)
def test_the_connector_that_the_original_never_had_is_there(
    tmp_path: Path, url: str, address: str
) -> None:
    environ = {"SLURMER_CONNECTOR": "slurmrest", "SLURMREST_URL": url}
    found = settings(tmp_path, SAMPLE, **environ).acting

    assert found.connector == "slurmrestd"
    assert told(SAMPLE, **environ).variables["GATEWAY_SLURMRESTD_URL"] == address


def test_a_connector_without_an_address_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"slurmrest\.url: expected an address"):
        settings(tmp_path, "slurmer: {working_dir: /x, connector: slurmrest}\n")
