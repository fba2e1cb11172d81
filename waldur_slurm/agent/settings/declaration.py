"""The variables themselves, declared once: read, shown and documented from here.

Settings stop at the composition root; everything below it takes plain arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.agent.pull.world.policy import AccountDefaults, Allowance, JobPolicy, Naming
from waldur_slurm.agent.push.plan.policy import LimitsReported
from waldur_slurm.agent.settings.agreement import mistakes_across
from waldur_slurm.agent.settings.choices import (
    Deployment,
    Direction,
    LogFormat,
    LogLevel,
)
from waldur_slurm.agent.settings.readers import (
    Address,
    account_defaults,
    account_prefix,
    address,
    allowance,
    base_url,
    container,
    duration,
    flag,
    listing,
    named,
    one_of,
    path,
    percentage,
    qos_name,
    sentry_dsn,
    token,
    uuid,
    whole,
    zone,
)
from waldur_slurm.agent.settings.spelling import spelled
from waldur_slurm.agent.settings.variable import Secret, Variable, plain, variable
from waldur_slurm.errors import SettingsError
from waldur_slurm.model.names import (
    AccountName,
    ClusterName,
    UserName,
    account_name,
    cluster_name,
    user_name,
)

_SHORTEST_SECRET = 8
_INTERVALS = {Direction.PULL: timedelta(seconds=60), Direction.PUSH: timedelta(hours=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the process was told, already typed and checked."""

    # Waldur
    api_url: str = variable(
        "WALDUR_API_URL", base_url, "the address of Waldur's API", is_required=True
    )
    api_token: Secret = variable(
        "WALDUR_API_TOKEN",
        token,
        "the token of a service provider's account in Waldur",
        is_secret=True,
        unset_means="required, unless `WALDUR_API_TOKEN_FILE` is set",
    )
    api_token_file: Path | None = variable(
        "WALDUR_API_TOKEN_FILE", path, "a file that holds the token and nothing else"
    )
    direction: Direction = variable(
        "WALDUR_SYNC_DIRECTION",
        one_of(Direction),
        "`pull` (Waldur's orders and members into Slurm) or `push` (Slurm's usage to Waldur)",
        is_required=True,
    )
    offering_uuid: str = variable(
        "WALDUR_OFFERING_UUID", uuid, "the UUID of the offering in Waldur", is_required=True
    )
    own_interval: timedelta | None = variable(
        "WALDUR_SYNC_INTERVAL",
        duration(timedelta(seconds=1)),
        "the time from the start of one cycle to the next",
        unset_means="`60` for pull, `3600` for push",
    )
    verify_ssl: bool = variable(
        "REQUESTS_VERIFY_SSL", flag, "whether Waldur's TLS certificate must be valid", "true"
    )
    request_timeout: timedelta = variable(
        "REQUESTS_TIMEOUT",
        duration(timedelta(seconds=1)),
        "how long one request to Waldur may take",
        "15",
    )

    # Slurm
    tres_path: Path = variable(
        "SLURM_TRES_CONFIG_PATH",
        path,
        "the TRES configuration: what the offering sells",
        "./config-components.yaml",
    )
    deployment: Deployment = variable(
        "SLURM_DEPLOYMENT_TYPE",
        one_of(Deployment),
        "where Slurm's commands run: `docker` (in a container) or `native` (on this host)",
        "docker",
    )
    container_name: str = variable(
        "SLURM_CONTAINER_NAME",
        container,
        "the container of the head node, where `SLURM_DEPLOYMENT_TYPE` is `docker`",
        "slurmctld",
    )
    container_user: UserName | None = variable(
        "SLURM_CONTAINER_USER",
        named(user_name),
        "who runs Slurm's commands in the container: an Operator of Slurm is enough",
        unset_means="whoever the container is run as",
    )
    cluster: ClusterName | None = variable(
        "SLURM_CLUSTER_NAME",
        named(cluster_name),
        "the cluster, where one accounting database serves several",
        unset_means="the one that `slurm.conf` names",
    )
    bin_path: Path | None = variable(
        "SLURM_BIN_PATH", path, "the folder of Slurm's commands", unset_means="found by `PATH`"
    )
    customer_prefix: str = variable(
        "SLURM_CUSTOMER_PREFIX", account_prefix, "how the accounts of customers begin", "hpc_"
    )
    project_prefix: str = variable(
        "SLURM_PROJECT_PREFIX", account_prefix, "how the accounts of projects begin", "hpc_"
    )
    allocation_prefix: str = variable(
        "SLURM_ALLOCATION_PREFIX", account_prefix, "how the accounts of allocations begin", "hpc_"
    )
    allocation_name_max_len: int = variable(
        "SLURM_ALLOCATION_NAME_MAX_LEN",
        whole(10, 128),
        "the length to which an allocation's account name is cut",
        "34",
    )
    naming: Naming = variable(
        "SLURM_ACCOUNT_NAMING",
        one_of(Naming),
        "whether new accounts are called after Waldur's `uuid` or its `slug`",
        "uuid",
    )
    default_account: AccountName = variable(
        "SLURM_DEFAULT_ACCOUNT",
        named(account_name),
        "the existing account under which new customers' accounts are made",
        "waldur",
    )
    protected_accounts: frozenset[AccountName] = variable(
        "SLURM_PROTECTED_ACCOUNTS",
        listing(named(account_name)),
        "accounts that are never touched, separated by commas",
        "root",
    )
    protected_users: frozenset[UserName] = variable(
        "SLURM_PROTECTED_USERS",
        listing(named(user_name)),
        "users whose associations are never touched, separated by commas",
        "root",
    )
    remove_unknown_users: bool = variable(
        "SLURM_REMOVE_UNKNOWN_USERS",
        flag,
        "whether people in managed accounts whom neither Waldur nor the agent put there go",
        "false",
    )
    require_unix_users: bool = variable(
        "SLURM_REQUIRE_UNIX_USERS",
        flag,
        "whether a person waits until the user name resolves where Slurm runs",
        "true",
    )
    create_homes: bool = variable(
        "ENABLE_USER_HOMEDIR_ACCOUNT_CREATION",
        flag,
        "whether missing home directories are made, where Slurm runs",
        "false",
    )
    account_defaults: AccountDefaults | None = variable(
        "SLURM_ACCOUNT_DEFAULTS",
        account_defaults,
        "what a new allocation's account gets once: `fairshare=... qos=...,... defaultqos=...`",
    )
    downscaled_qos: str | None = variable(
        "SLURM_DOWNSCALED_QOS",
        qos_name,
        "the QoS of an allocation that Waldur has downscaled",
        unset_means="downscaled allocations are only shown",
    )
    empty_account_grace: timedelta = variable(
        "SLURM_EMPTY_ACCOUNT_GRACE",
        duration(),
        "how long a project's or customer's account stays after its last allocation went",
        "24h",
    )

    # Pull
    approve_orders: bool = variable(
        "PULL_APPROVE_ORDERS", flag, "whether pull approves orders for the provider", "true"
    )
    reject_invalid: bool = variable(
        "PULL_REJECT_INVALID",
        flag,
        "whether pull rejects orders that cannot be carried out, instead of leaving them pending",
        "false",
    )
    enforce_limits: bool = variable(
        "PULL_ENFORCE_LIMITS",
        flag,
        "whether pull restores limits that somebody changed in Slurm",
        "false",
    )

    max_removals: Allowance = variable(
        "PULL_MAX_REMOVALS",
        allowance,
        "how many people (with their jobs), accounts, holds and lowered limits may be taken away"
        " within 24 hours, each kind as a number and a share of what is managed; the larger counts",
        "10,10%",
    )
    max_terminations: int = variable(
        "PULL_MAX_TERMINATIONS",
        whole(0, 1_000_000),
        "how many Terminate orders one cycle may carry out; of more, none is carried out unasked",
        "10",
    )

    leavers: JobPolicy = variable(
        "PULL_LEAVERS",
        one_of(JobPolicy),
        "running jobs of people who left: `drain` (they may end) or `cancel`",
        "drain",
    )
    terminated_jobs: JobPolicy = variable(
        "PULL_TERMINATED_JOBS",
        one_of(JobPolicy),
        "running jobs of terminated allocations: `drain` (they may end) or `cancel`",
        "cancel",
    )

    # Push
    limits_reported: LimitsReported = variable(
        "PUSH_LIMITS",
        one_of(LimitsReported),
        "whether push reports the limits that Slurm enforces to Waldur, or only shows where they"
        " differ (`report-only`)",
        "true",
    )
    usage_basis: Basis = variable(
        "SLURM_USAGE_BASIS",
        one_of(Basis),
        "what counts as used: what a job was allocated (`alloc`), what it asked for (`req`), or"
        " Slurm's own weighting (`billing`)",
        "alloc",
    )
    usage_zone: ZoneInfo = variable(
        "BILLING_TIMEZONE", zone, "the zone in which a billing month begins and ends", "UTC"
    )
    max_decrease: Fraction = variable(
        "PUSH_MAX_DECREASE",
        percentage,
        "by how much of an account's month reported usage may fall in a day without a person's"
        " word",
        "5%",
    )
    closing_days: int = variable(
        "PUSH_CLOSING_DAYS",
        whole(1, 28),
        "for how many days a month that has ended is measured again: records may arrive late",
        "7",
    )

    # The agent itself
    own_state_dir: Path | None = variable(
        "AGENT_STATE_DIR",
        path,
        "what the agent remembers: `journal/` is worth a backup, `cache/` is not",
        unset_means="`/var/lib/waldur-slurm-agent/<offering>/<direction>`",
    )
    audit_log: Path | None = variable(
        "AGENT_AUDIT_LOG",
        path,
        "a file that gets one JSON line for each change in Slurm and in Waldur",
    )
    hook_dir: Path | None = variable(
        "AGENT_HOOK_DIR",
        path,
        "a directory with programs `account.added` and `user.added` that pull runs after a cycle"
        " that made some, with a JSON line for each on standard input",
    )
    log_format: LogFormat = variable(
        "AGENT_LOG_FORMAT", one_of(LogFormat), "`text` or `json`", "text"
    )
    log_level: LogLevel = variable(
        "AGENT_LOG_LEVEL",
        one_of(LogLevel),
        "`debug` (each command and request), `info` (changes), `warning` or `error`",
        "info",
    )
    http_listen: Address | None = variable(
        "AGENT_HTTP_LISTEN",
        address,
        "where `/metrics`, `/healthz` and `/readyz` are served, such as `127.0.0.1:9464`; they need"
        " no password, so keep them from strangers",
    )
    sentry_dsn: Secret | None = variable(
        "SENTRY_DSN", sentry_dsn, "where errors are reported to Sentry", is_secret=True
    )
    sentry_environment: str = variable(
        "SENTRY_ENVIRONMENT", str, "the environment that Sentry shows", "production"
    )

    @property
    def interval(self) -> timedelta:
        return self.own_interval or _INTERVALS[self.direction]

    @property
    def state_dir(self) -> Path:
        return self.own_state_dir or Path(
            "/var/lib/waldur-slurm-agent", self.offering_uuid, self.direction
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read every variable, then report every mistake at once."""
        values: dict[str, Any] = {}
        mistakes: list[str] = []
        for field, declared in cls.variables():
            try:
                values[field] = declared.value_in(environ)
            except ValueError as error:
                mistakes.append(str(error))
        mistakes += mistakes_across(environ, values)
        if mistakes:
            raise SettingsError(cls._without_secrets(mistakes, environ))
        return cls(**values)

    @classmethod
    def _without_secrets(cls, mistakes: list[str], environ: Mapping[str, str]) -> list[str]:
        """Take a token out that was put into another variable by mistake."""
        for _, declared in cls.variables():
            secret = plain(environ.get(declared.name, "")) if declared.is_secret else ""
            if len(secret) >= _SHORTEST_SECRET:
                mistakes = [mistake.replace(secret, "<secret>") for mistake in mistakes]
        return mistakes

    @classmethod
    def variables(cls) -> Iterator[tuple[str, Variable]]:
        """Each field's name with the variable that fills it, in the order of the reference."""
        for item in fields(cls):
            yield item.name, item.metadata["variable"]

    def secrets(self) -> Iterator[str]:
        """Everything that must never be printed."""
        for field, _ in self.variables():
            value = getattr(self, field)
            if isinstance(value, Secret):
                yield value.reveal()
                yield urlsplit(value.reveal()).username or ""

    def shown(self) -> Iterator[tuple[str, str]]:
        """Each variable with what the agent made of it; a secret only says that it is there."""
        worked_out = {"own_interval": self.interval, "own_state_dir": self.state_dir}
        for field, declared in self.variables():
            yield declared.name, spelled(worked_out.get(field, getattr(self, field)))
