"""Settings come whole and typed, or with every mistake at once."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.places import PROJECT
from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.agent.pull.world.choices import AccountDefaults, Allowance, JobPolicy, Naming
from waldur_slurm.agent.push.plan.policy import LimitsReported
from waldur_slurm.agent.settings import (
    Deployment,
    Direction,
    LogFormat,
    LogLevel,
    Settings,
)
from waldur_slurm.agent.settings.reference import page, unknown_variables
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


def test_four_variables_are_enough() -> None:
    found = settings()

    assert found.direction is Direction.PULL
    assert found.api_url == "http://waldur.example.com/api/"
    assert found.api_token.reveal() == TOKEN
    assert found.offering_uuid == "e21a0f0030b447deb63bedf69db6742e"


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


def test_a_url_gets_the_slash_that_its_user_forgot() -> None:
    assert settings(WALDUR_API_URL="https://w.example/api").api_url == "https://w.example/api/"


@pytest.mark.parametrize(
    "url",
    [
        "waldur.example.com/api",
        "ftp://waldur.example.com/",
        "https://",
        "https://w.example/?token=hunter2secret",
        "https://me:hunter2secret@w.example/api/",
        "https://:hunter2secret@w.example/api/",
        "https://@w.example/api/",
        "https://w.example:port/",
    ],
)
def test_an_address_that_no_request_could_use_is_a_mistake(url: str) -> None:
    (mistake,) = mistakes(WALDUR_API_URL=url)

    assert mistake.startswith("WALDUR_API_URL: found ")
    assert "hunter2secret" not in mistake


def test_a_mistyped_flag_is_a_mistake_not_a_no() -> None:
    assert mistakes(ENABLE_USER_HOMEDIR_ACCOUNT_CREATION="ture") == [
        "ENABLE_USER_HOMEDIR_ACCOUNT_CREATION: found 'ture', expected true or false"
    ]


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("TRUE", True), ("0", False)])
def test_flags_are_read_in_the_spellings_of_the_original(text: str, value: bool) -> None:
    assert settings(ENABLE_USER_HOMEDIR_ACCOUNT_CREATION=text).pull.create_homes is value


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("2d", 172_800)]
)
def test_times_are_seconds_or_carry_a_unit(text: str, seconds: int) -> None:
    assert settings(WALDUR_SYNC_INTERVAL=text).interval == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["0", "-5", "1.5", "5 minutes", "soon", "٣"])
def test_other_times_are_mistakes(text: str) -> None:
    (mistake,) = mistakes(WALDUR_SYNC_INTERVAL=text)

    assert mistake.endswith("expected a time of at least 1 s such as 90, 90s, 15m or 24h")


def test_the_interval_follows_the_direction() -> None:
    assert settings(WALDUR_SYNC_DIRECTION="pull").interval == timedelta(seconds=60)
    assert settings(WALDUR_SYNC_DIRECTION="push").interval == timedelta(hours=1)


def test_the_state_directory_names_offering_and_direction() -> None:
    offering = COMPLETE["WALDUR_OFFERING_UUID"]

    assert settings().state_dir == Path("/var/lib/waldur-slurm-agent", offering, "pull")
    assert settings(AGENT_STATE_DIR="/srv/agent").state_dir == Path("/srv/agent")


def test_a_uuid_is_the_same_with_and_without_dashes() -> None:
    dashed = "E21A0F00-30B4-47DE-B63B-EDF69DB6742E"

    assert settings(WALDUR_OFFERING_UUID=dashed).offering_uuid == COMPLETE["WALDUR_OFFERING_UUID"]


def test_every_variable_of_the_original_is_read() -> None:
    found = settings(
        WALDUR_SYNC_DIRECTION="push",
        REQUESTS_VERIFY_SSL="false",
        REQUESTS_TIMEOUT="20",
        SLURM_TRES_CONFIG_PATH="/etc/tres.yaml",
        SLURM_DEPLOYMENT_TYPE="native",
        SLURM_CUSTOMER_PREFIX="c_",
        SLURM_PROJECT_PREFIX="p_",
        SLURM_ALLOCATION_PREFIX="a_",
        SLURM_ALLOCATION_NAME_MAX_LEN="40",
        SLURM_CONTAINER_NAME="head",
        SENTRY_DSN="https://key@sentry.example.com/1",
        SENTRY_ENVIRONMENT="test",
    )

    assert found.direction is Direction.PUSH
    assert found.verify_ssl is False
    assert found.request_timeout == timedelta(seconds=20)
    assert found.tres_path == Path("/etc/tres.yaml")
    assert found.deployment is Deployment.NATIVE
    assert (
        found.pull.customer_prefix,
        found.pull.project_prefix,
        found.pull.allocation_prefix,
    ) == (
        "c_",
        "p_",
        "a_",
    )
    assert found.pull.name_max_length == 40
    assert found.container_name == "head"
    assert found.sentry_dsn is not None
    assert found.sentry_environment == "test"


def test_every_variable_of_this_agent_is_read() -> None:
    found = settings(
        SLURM_CLUSTER_NAME="lab",
        SLURM_BIN_PATH="/opt/slurm/bin",
        SLURM_PROTECTED_ACCOUNTS="root, staff",
        SLURM_PROTECTED_USERS="root admin",
        SLURM_REMOVE_UNKNOWN_USERS="true",
        SLURM_REQUIRE_UNIX_USERS="false",
        SLURM_EMPTY_ACCOUNT_GRACE="0",
        SLURM_USAGE_BASIS="req",
        BILLING_TIMEZONE="Europe/Tallinn",
        PULL_APPROVE_ORDERS="false",
        PULL_REJECT_INVALID="true",
        PULL_MAX_REMOVALS="5,20%",
        PULL_MAX_TERMINATIONS="3",
        PUSH_LIMITS="report-only",
        PULL_ENFORCE_LIMITS="true",
        PUSH_MAX_DECREASE="2.5%",
        PUSH_CLOSING_DAYS="10",
        SLURM_ACCOUNT_NAMING="slug",
        SLURM_ACCOUNT_DEFAULTS="fairshare=10 qos=normal,long defaultqos=normal",
        SLURM_DOWNSCALED_QOS="slow",
        PULL_LEAVERS="cancel",
        PULL_TERMINATED_JOBS="drain",
        AGENT_AUDIT_LOG="/var/log/audit.jsonl",
        AGENT_LOG_FORMAT="json",
        AGENT_LOG_LEVEL="DEBUG",
    )

    assert found.cluster == "lab"
    assert found.bin_path == Path("/opt/slurm/bin")
    assert found.pull.protected_accounts == {"root", "staff"}
    assert found.pull.protected_users == {"root", "admin"}
    assert (found.pull.remove_unknown_users, found.pull.require_unix_users) == (True, False)
    assert found.pull.empty_account_grace == timedelta(0)
    assert found.push.basis is Basis.REQUESTED
    assert found.push.zone == ZoneInfo("Europe/Tallinn")
    assert (found.pull.approve_orders, found.pull.reject_invalid) == (False, True)
    assert found.pull.max_removals == Allowance(5, Fraction(1, 5))
    assert found.pull.max_terminations == 3
    assert found.pull.naming is Naming.SLUG
    assert found.pull.account_defaults == AccountDefaults("10", ("normal", "long"), "normal")
    assert found.pull.downscaled_qos == "slow"
    assert (found.pull.leavers, found.pull.terminated_jobs) == (JobPolicy.CANCEL, JobPolicy.DRAIN)
    assert found.push.limits is LimitsReported.SHOWN
    assert found.pull.enforce_limits is True
    assert found.push.max_decrease == Fraction(1, 40)
    assert found.push.closing_days == 10
    assert found.audit_log == Path("/var/log/audit.jsonl")
    assert found.log_format is LogFormat.JSON
    assert found.log_level is LogLevel.DEBUG


@pytest.mark.parametrize(
    ("total", "allowed"), [(0, 10), (99, 10), (100, 10), (200, 20), (209, 20), (210, 21)]
)
def test_of_a_number_and_a_share_the_larger_counts(total: int, allowed: int) -> None:
    assert settings().pull.max_removals.among(total) == allowed


@pytest.mark.parametrize(
    "changes",
    [
        {"SLURM_DEFAULT_ACCOUNT": "a,b"},
        {"SLURM_PROTECTED_USERS": "ann,--all"},
        {"SLURM_CLUSTER_NAME": "lab|x"},
        {"SLURM_ALLOCATION_PREFIX": "-x"},
        {"SLURM_CONTAINER_NAME": "--privileged"},
        {"SLURM_CONTAINER_USER": "root:docker"},
        {"SLURM_ALLOCATION_NAME_MAX_LEN": "nine"},
        {"BILLING_TIMEZONE": "Europe/Nowhere"},
        {"BILLING_TIMEZONE": "../../etc/passwd"},
        {"PUSH_MAX_DECREASE": "5"},
        {"PUSH_MAX_DECREASE": "NaN%"},
        {"PUSH_CLOSING_DAYS": "0"},
        {"PUSH_CLOSING_DAYS": "29"},
        {"PUSH_MAX_DECREASE": "1e-999999999%"},
        {"PUSH_MAX_DECREASE": "101%"},
        {"PULL_MAX_REMOVALS": "10,20"},
        {"PULL_MAX_REMOVALS": "-1"},
        {"SLURM_ACCOUNT_DEFAULTS": "fairshare=1,qos=normal"},
        {"SLURM_ACCOUNT_DEFAULTS": "parent=root"},
        {"SLURM_ACCOUNT_DEFAULTS": "fairshare=banana"},
        {"SLURM_ACCOUNT_DEFAULTS": "qos=normal,-all"},
        {"SLURM_DOWNSCALED_QOS": "+slow"},
        {"SENTRY_DSN": "sentry.example.com"},
    ],
)
def test_what_slurm_docker_or_a_bill_would_misread_is_a_mistake(changes: dict[str, str]) -> None:
    (mistake,) = mistakes(**changes)

    assert mistake.startswith(next(iter(changes)))
    assert "expected" in mistake


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


def test_a_misspelt_variable_is_a_warning() -> None:
    warnings = list(unknown_variables(COMPLETE | {"SLURM_DEFAULT_ACOUNT": "x"}))

    assert warnings == ["SLURM_DEFAULT_ACOUNT has no effect; is SLURM_DEFAULT_ACCOUNT meant?"]


def test_a_variable_that_only_an_older_agent_knew_is_a_warning() -> None:
    warnings = list(unknown_variables({"WALDUR_SLURM_USERNAME_SOURCE": "local"}))

    assert warnings == ["WALDUR_SLURM_USERNAME_SOURCE has no effect: there is no such variable"]


def test_variables_of_slurm_and_of_libraries_are_none_of_our_business() -> None:
    theirs = (
        "SLURM_CONF SLURM_JOB_ID SLURM_JOB_ACCOUNT SLURM_TIME_FORMAT REQUESTS_CA_BUNDLE"
        " SENTRY_RELEASE PATH TZ AGENT_NAME SLURMD_NODENAME SLURM_NTASKS"
    )

    assert list(unknown_variables(dict.fromkeys(theirs.split(), "1"))) == []


def test_the_reference_page_is_in_step_with_the_code() -> None:
    shipped = PROJECT / "docs" / "settings.md"

    assert shipped.read_text(encoding="utf-8") == page()


def test_the_reference_names_every_variable_once() -> None:
    lines = page().splitlines()

    for declared in Settings.variables():
        assert sum(f"`{declared.name}`" in line.split("|")[1] for line in lines if "|" in line) == 1
