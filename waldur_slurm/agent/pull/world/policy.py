"""What a site allows the pull direction to do, as plain values.

The settings stop at the composition root; each field names the variable it comes from.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from waldur_slurm.model.names import ROOT, AccountName, UserName

DEFAULT_ACCOUNT = AccountName("waldur")


class Naming(StrEnum):
    """Which of Waldur's identifiers new accounts are called after."""

    UUID = "uuid"
    SLUG = "slug"


class JobPolicy(StrEnum):
    """What becomes of jobs in the way: pending ones are always cancelled, running ones may end."""

    DRAIN = "drain"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Allowance:
    """A number and a share of what is managed; the larger of the two counts."""

    number: int
    share: Fraction

    def among(self, managed: int) -> int:
        return max(self.number, int(self.share * managed))


@dataclass(frozen=True, slots=True)
class AccountDefaults:
    """What a new allocation account gets once, at its creation."""

    fairshare: str = ""
    qos: tuple[str, ...] = ()
    default_qos: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPolicy:
    customer_prefix: str = "hpc_"  # SLURM_CUSTOMER_PREFIX
    project_prefix: str = "hpc_"  # SLURM_PROJECT_PREFIX
    allocation_prefix: str = "hpc_"  # SLURM_ALLOCATION_PREFIX
    name_max_length: int = 34  # SLURM_ALLOCATION_NAME_MAX_LEN
    naming: Naming = Naming.UUID  # SLURM_ACCOUNT_NAMING
    default_account: AccountName = DEFAULT_ACCOUNT  # SLURM_DEFAULT_ACCOUNT

    approve_orders: bool = True  # PULL_APPROVE_ORDERS
    reject_invalid: bool = False  # PULL_REJECT_INVALID
    max_removals: Allowance = Allowance(10, Fraction(1, 10))  # PULL_MAX_REMOVALS
    max_terminations: int = 10  # PULL_MAX_TERMINATIONS
    enforce_limits: bool = False  # PULL_ENFORCE_LIMITS
    leavers: JobPolicy = JobPolicy.DRAIN  # PULL_LEAVERS
    terminated_jobs: JobPolicy = JobPolicy.CANCEL  # PULL_TERMINATED_JOBS

    remove_unknown_users: bool = False  # SLURM_REMOVE_UNKNOWN_USERS
    require_unix_users: bool = True  # SLURM_REQUIRE_UNIX_USERS
    protected_accounts: frozenset[AccountName] = frozenset()  # SLURM_PROTECTED_ACCOUNTS
    protected_users: frozenset[UserName] = frozenset()  # SLURM_PROTECTED_USERS
    downscaled_qos: str = ""  # SLURM_DOWNSCALED_QOS
    account_defaults: AccountDefaults = field(default_factory=AccountDefaults)
    # SLURM_ACCOUNT_DEFAULTS
    empty_account_grace: timedelta = timedelta(hours=24)  # SLURM_EMPTY_ACCOUNT_GRACE
    create_homes: bool = False  # ENABLE_USER_HOMEDIR_ACCOUNT_CREATION

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


NO_CONSENT = Consent()
