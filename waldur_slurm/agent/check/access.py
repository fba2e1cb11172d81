"""Can the members of allocations get access? Pure judgements over what was read."""

from collections.abc import Collection, Iterator, Mapping

from waldur_slurm.agent.check.facts import WaldurFacts
from waldur_slurm.agent.model.marketplace import OfferingUser, RowKind, UserUuid
from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.counting import counted
from waldur_slurm.service.check.findings import Finding, failed, fine, some_of, unknown, warning

_SUBJECT = "members"


def judge_rows(waldur: WaldurFacts) -> Iterator[Finding]:
    """One line for each thing in Waldur that is left alone because nobody can read it."""
    for row in waldur.unreadable:
        yield warning(
            f"{row.kind.value} {row.uuid}",
            f"cannot be read: {row.error}",
            "correct it in Waldur, or tell whoever runs Waldur; until then it is left alone",
        )


def judge_members(waldur: WaldurFacts) -> Iterator[Finding]:
    members, users = waldur.members, waldur.offering_users
    if isinstance(members, ExpectedError):
        advice = "the token must be allowed to read the teams of the offering's allocations"
        yield failed(_SUBJECT, str(members), advice)
        return
    if isinstance(users, ExpectedError):
        yield unknown(_SUBJECT, "see people")
        return
    if members.unknown:
        yield failed(
            _SUBJECT,
            f"the team of {counted(len(members.unknown), 'allocation')} cannot be read:"
            f" {some_of(members.unknown)}",
            "use the token of an owner of the service provider's organization",
        )
    known = {user.user: user for user in users}
    yield _judge_access(waldur, members.names, known)


def _judge_access(
    waldur: WaldurFacts, names: Mapping[UserUuid, str], known: Mapping[UserUuid, OfferingUser]
) -> Finding:
    doubtful = {row.user for row in waldur.unreadable if row.kind is RowKind.OFFERING_USER}
    names = {} if "" in doubtful else {u: n for u, n in names.items() if u not in doubtful}
    lacking = [name for user, name in names.items() if user not in known]
    if lacking:
        return failed(
            _SUBJECT,
            f"{len(lacking)} of {_members(names)} no offering user, and so no access:"
            f" {some_of(lacking)}",
            f"set {waldur.dialect.users_option} to true; who was a member before that needs one"
            " made, in Waldur or by PULL_MAKE_OFFERING_USERS=true",
        )
    waiting = [
        f"{name} ({known[user].why_not or 'not usable'})"
        for user, name in names.items()
        if not known[user].is_usable
    ]
    if waiting:
        return warning(
            _SUBJECT,
            f"{len(waiting)} of {_members(names)} no access: {some_of(waiting)}",
            "give them what they lack in Waldur (the offering's users)",
        )
    return fine(_SUBJECT, f"{_members(names)} offering users that can be used")


def _members(names: Collection[object]) -> str:
    return counted(len(names), "member has", "members have")
