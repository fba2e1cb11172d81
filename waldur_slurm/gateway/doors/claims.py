"""What a token of OpenID Connect says, once its signature is known to be the issuer's. Pure.

Who somebody is follows from one claim that the site names, by a pattern that the site writes; what
he may do follows from his groups alone. Nothing else in the token counts.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from waldur_slurm.gateway.doors.principals import FOR_NOBODY, Kind, Principal, RunAs, is_user
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.gateway.errors import Denied, NotSignedIn
from waldur_slurm.model.names import UserName

LEEWAY_S = 60
"""How far an issuer's clock may be from ours."""

EVERYBODY = "*"
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Role:
    """What members of an issuer's group may do; `*` is everybody who signs in."""

    group: str
    scopes: frozenset[Scope]
    run_as: RunAs = FOR_NOBODY

    def __str__(self) -> str:
        actors = f" as {self.run_as}" if str(self.run_as) else ""
        return f"{self.group} may {' '.join(sorted(self.scopes))}{actors}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say, and how it is read."""

    issuer: str
    audience: str
    username_claim: str = "preferred_username"
    username: re.Pattern[str] | None = None
    """Has to fit the whole claim; what its first group holds is the Unix user's name."""
    groups_claim: str = "groups"
    roles: Sequence[Role] = ()


def person(claims: Mapping[str, object], expected: Expected, now: float) -> Principal:
    """Say who it is; `now` is in seconds since 1970. Raises `NotSignedIn` or `Denied`."""
    _check_addressee(claims, expected)
    expires = _check_times(claims, now)
    name = _text(claims.get(expected.username_claim))
    if not name:
        raise NotSignedIn(f"the token has no claim {expected.username_claim}")
    user = _user(name, expected.username)
    fitting = _roles(expected.roles, _groups(claims.get(expected.groups_claim)))
    if not fitting:
        raise Denied(f"{user} is in no group that may do anything here")
    return Principal(
        kind=Kind.PERSON,
        name=user,
        scopes=widened(scope for role in fitting for scope in role.scopes),
        user=user,
        run_as=_all_of(role.run_as for role in fitting),
        expires=datetime.fromtimestamp(expires, UTC),
    )


def kept_claims(claims: Mapping[str, object], expected: Expected) -> dict[str, object]:
    """Leave of them what says who it is and what he may do."""
    names = (expected.username_claim, expected.groups_claim)
    return {name: claims[name] for name in names if name in claims}


def person_again(
    kept: Mapping[str, object], expected: Expected, ends: float, now: float
) -> Principal:
    """Say who it is by what was kept of his claims, and by the roles that there are now."""
    whole = {**kept, "iss": expected.issuer, "aud": expected.audience, "exp": ends}
    return person(whole, expected, now)


def _check_addressee(claims: Mapping[str, object], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise NotSignedIn("the token is of another issuer")
    audience = claims.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    if expected.audience not in meant:
        raise NotSignedIn("the token is meant for another service")


def _check_times(claims: Mapping[str, object], now: float) -> float:
    expires = _moment(claims, "exp")
    if expires is None:
        raise NotSignedIn("the token never expires; such a one is not taken")
    if expires + LEEWAY_S <= now:
        raise NotSignedIn("the token has expired; get a new one")
    for name in ("nbf", "iat"):
        begins = _moment(claims, name)
        if begins is not None and begins - LEEWAY_S > now:
            raise NotSignedIn("the token is not valid yet; clocks may differ")
    return expires


def _moment(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise NotSignedIn(f"the token's {name} is no time")
    return float(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_NAME else ""


def _user(name: str, pattern: re.Pattern[str] | None) -> UserName:
    match = pattern.fullmatch(name) if pattern else None
    found = (match[1] if match else "") if pattern else name
    if not is_user(found or ""):
        raise Denied(f"no user of this site follows from the name {name!a}")
    return UserName(found)


def _groups(value: object) -> frozenset[str]:
    listed = value if isinstance(value, list) else [value]
    return frozenset(group for group in listed if isinstance(group, str))


def _roles(roles: Sequence[Role], groups: Collection[str]) -> list[Role]:
    return [role for role in roles if role.group == EVERYBODY or role.group in groups]


def _all_of(each: Iterable[RunAs]) -> RunAs:
    every = list(each)
    return RunAs(
        users=frozenset().union(*(one.users for one in every)),
        groups=frozenset().union(*(one.groups for one in every)),
        anybody=any(one.anybody for one in every),
    )
