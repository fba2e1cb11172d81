"""What the agent must remember of its own doings, because nobody else could tell it later.

A value: a change makes the next one, and it is written before the step that it describes is taken.
Without it the agent still never harms; it then only adds. How it follows the steps of a plan is in
`memory.bookkeeping`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import moment_of
from waldur_slurm.model.tres import TresName


@dataclass(frozen=True, slots=True)
class AccountHold:
    """`GrpJobs` and `GrpSubmitJobs` as they were before the agent set both to 0."""

    grp_jobs: int | None
    grp_submit_jobs: int | None


@dataclass(frozen=True, slots=True)
class UserHold:
    """`MaxSubmitJobs` as it was before the agent set it to 0."""

    max_submit_jobs: int | None


@dataclass(frozen=True, slots=True)
class QosBefore:
    qos: tuple[str, ...]
    default_qos: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is remembered of one account."""

    people: frozenset[UserName] = frozenset()
    tres: frozenset[TresName] = frozenset()
    hold: AccountHold | None = None
    awaits_limits: bool = False
    """Marked before its ordered limits stood: closed until they do, set without an order."""
    user_holds: Mapping[UserName, UserHold] = field(default_factory=dict)
    qos_before: QosBefore | None = None
    empty_since: datetime | None = None
    is_removed: bool = False
    """The agent has set about removing it for an order, and has not seen it since."""


_BLANK = Page()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    pages: Mapping[AccountName, Page] = field(default_factory=dict)
    homes_owed: frozenset[UserName] = frozenset()
    final_usage: frozenset[ResourceUuid] = frozenset()

    def page(self, account: AccountName) -> Page:
        return self.pages.get(account, _BLANK)

    def with_pages(self, pages: Mapping[AccountName, Page]) -> "Ledger":
        merged = {**self.pages, **pages}
        return replace(self, pages={name: p for name, p in merged.items() if p != _BLANK})

    def to_document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "accounts": {name: _page_to_document(page) for name, page in self.pages.items()},
            "homes_owed": sorted(self.homes_owed),
            "final_usage": sorted(self.final_usage),
        }
        return {key: value for key, value in document.items() if value}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            pages={
                AccountName(name): _page_from_document(page)
                for name, page in document.get("accounts", {}).items()
            },
            homes_owed=_users(document.get("homes_owed", ())),
            final_usage=frozenset(ResourceUuid(uuid) for uuid in document.get("final_usage", ())),
        )


def _page_to_document(page: Page) -> dict[str, Any]:
    document: dict[str, Any] = {
        "people": sorted(page.people),
        "tres": sorted(page.tres),
        "user_holds": {user: hold.max_submit_jobs for user, hold in page.user_holds.items()},
    }
    if page.hold is not None:
        document["hold"] = [page.hold.grp_jobs, page.hold.grp_submit_jobs]
    if page.awaits_limits:
        document["awaits_limits"] = True
    if page.qos_before is not None:
        document["qos_before"] = [list(page.qos_before.qos), page.qos_before.default_qos]
    if page.is_removed:
        document["is_removed"] = True
    if page.empty_since is not None:
        document["empty_since"] = page.empty_since.isoformat()
    return {key: value for key, value in document.items() if value}


def _page_from_document(document: Mapping[str, Any]) -> Page:
    hold, qos, since = (document.get(key) for key in ("hold", "qos_before", "empty_since"))
    return Page(
        people=_users(document.get("people", ())),
        tres=frozenset(TresName(name) for name in document.get("tres", ())),
        hold=None if hold is None else AccountHold(*hold),
        awaits_limits=bool(document.get("awaits_limits")),
        user_holds={
            UserName(user): UserHold(before)
            for user, before in document.get("user_holds", {}).items()
        },
        qos_before=None if qos is None else QosBefore(tuple(qos[0]), qos[1]),
        empty_since=None if since is None else moment_of(since),
        is_removed=bool(document.get("is_removed")),
    )


def _users(names: Iterable[str]) -> frozenset[UserName]:
    return frozenset(UserName(name) for name in names)
