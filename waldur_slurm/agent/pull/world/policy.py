"""What a site allows and wants of the pull direction, each with the variable that says it. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from waldur_slurm.agent.pull.world.choices import (
    AccountDefaults,
    Allowance,
    JobPolicy,
    Naming,
    account_defaults,
    account_prefix,
    allowance,
    qos_name,
)
from waldur_slurm.model.names import ROOT, AccountName, UserName, account_name, user_name
from waldur_slurm.variables.readers import duration, flag, listing, named, one_of, whole
from waldur_slurm.variables.variable import variable


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPolicy:
    customer_prefix: str = variable(
        "SLURM_CUSTOMER_PREFIX", account_prefix, "how the accounts of customers begin", "hpc_"
    )
    project_prefix: str = variable(
        "SLURM_PROJECT_PREFIX", account_prefix, "how the accounts of projects begin", "hpc_"
    )
    allocation_prefix: str = variable(
        "SLURM_ALLOCATION_PREFIX", account_prefix, "how the accounts of allocations begin", "hpc_"
    )
    name_max_length: int = variable(
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
    account_defaults: AccountDefaults = variable(
        "SLURM_ACCOUNT_DEFAULTS",
        account_defaults,
        "what a new allocation's account gets once: `fairshare=... qos=...,... defaultqos=...`",
        "",
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
    order_interval: timedelta = variable(
        "PULL_ORDER_INTERVAL",
        duration(),
        "how often pull asks for new orders between two cycles, and serves at once those that give"
        " something; `0`: never",
        "4",
    )
    approve_orders: bool = variable(
        "PULL_APPROVE_ORDERS", flag, "whether pull approves orders for the provider", "true"
    )
    reject_invalid: bool = variable(
        "PULL_REJECT_INVALID",
        flag,
        "whether pull rejects orders that cannot be carried out, instead of leaving them pending",
        "false",
    )
    make_offering_users: bool = variable(
        "PULL_MAKE_OFFERING_USERS",
        flag,
        "whether pull makes the offering users that members lack, where Waldur lets a provider",
        "false",
    )
    delete_offering_users: bool = variable(
        "PULL_DELETE_OFFERING_USERS",
        flag,
        "whether pull tells Waldur that offering users whose deletion was asked for are deleted,"
        " once none of its accounts has them; `true` where nobody else has to delete them too",
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

    def protects_account(self, name: AccountName) -> bool:
        return name in (ROOT, self.default_account) or name in self.protected_accounts

    def protects_user(self, name: UserName) -> bool:
        return name == "root" or name in self.protected_users


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person allows for one cycle by typing it; the daemon never does."""

    allow_removals: bool = False
    remove_empty_now: bool = False
    repair_parents: bool = False
    repair_default_associations: bool = False
    repair_missing: bool = False


NO_CONSENT = Consent()
