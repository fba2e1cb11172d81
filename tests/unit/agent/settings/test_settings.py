"""What four variables are enough for, and what each of the others says."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.agent.settings.environs import COMPLETE, TOKEN, mistakes, settings
from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.agent.pull.world.choices import AccountDefaults, Allowance, JobPolicy, Naming
from waldur_slurm.agent.push.plan.policy import LimitsReported
from waldur_slurm.agent.settings import (
    Deployment,
    Direction,
    LogFormat,
    LogLevel,
)


def test_four_variables_are_enough() -> None:
    found = settings()

    assert found.direction is Direction.PULL
    assert found.api_url == "http://waldur.example.com/api/"
    assert found.api_token.reveal() == TOKEN
    assert found.offering_uuid == "e21a0f0030b447deb63bedf69db6742e"


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
        PULL_ORDER_INTERVAL="30s",
        PULL_DELETE_OFFERING_USERS="true",
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
    assert found.pull.order_interval == timedelta(seconds=30)
    assert found.pull.delete_offering_users is True
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
