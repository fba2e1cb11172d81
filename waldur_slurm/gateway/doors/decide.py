"""Whether somebody may do something, with the reason either way. Pure.

What is asked is what `/api/v1/me` shows: one function decides, and says why.
"""

from collections.abc import Collection
from dataclasses import dataclass

from waldur_slurm.gateway.doors.principals import Kind, Principal, is_user
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Yes:
    why: str


@dataclass(frozen=True, slots=True)
class No:
    why: str
    is_sign_in_missing: bool = False
    """Nobody is known to ask: with a token it may be another answer."""


def decide(principal: Principal, scope: Scope, *, is_of_one_job: bool = False) -> Yes | No:
    """Decide whether he may do this kind of thing at all.

    `is_of_one_job`: it concerns one job alone, which is then compared with the one that he may see.
    """
    alone = "" if principal.job is None else f", for job {principal.job} alone"
    if alone and not is_of_one_job:
        return No(f"{principal} may look at job {principal.job}, and do nothing else")
    if scope in principal.scopes:
        return Yes(f"{principal} has {scope}{alone}")
    if principal.kind is Kind.NOBODY:
        return No(f"without a token nobody has {scope} here", is_sign_in_missing=True)
    return No(f"{principal} lacks {scope}")


def decide_acting(
    principal: Principal, user: UserName, groups_of_user: Collection[str] = ()
) -> Yes | No:
    """Decide whether he may act in the name of this user."""
    if not is_user(user):
        return No("that is no name of a user")
    if user == principal.user:
        return Yes(f"{principal} is {user}")
    if principal.run_as.takes(user, groups_of_user):
        return Yes(f"{principal} may act for {principal.run_as}")
    return No(f"{principal} may not act for {user}")
