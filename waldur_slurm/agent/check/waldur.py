"""Does Waldur let the agent do its work? Pure judgements over what was read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from waldur_slurm.agent.check.access import judge_members, judge_rows
from waldur_slurm.agent.check.components import judge_unsold, misspellings
from waldur_slurm.agent.check.facts import Facts, SettingsFacts, WaldurFacts
from waldur_slurm.agent.check.periods import judge_ends, judge_policies
from waldur_slurm.agent.components_sync import Action, plan_components
from waldur_slurm.agent.errors import (
    NoWaldurThere,
    UnexpectedPayload,
    WaldurRejected,
    WaldurUnreachable,
)
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import Dialect, OfferingUser
from waldur_slurm.agent.model.prices import unpriced
from waldur_slurm.agent.model.rights import OWNER, STAFF, Rights
from waldur_slurm.errors import ExpectedError, SettingsError
from waldur_slurm.model.counting import counted
from waldur_slurm.service.check.findings import Finding, failed, fine, unknown, warning
from waldur_slurm.service.check.known import Known

CLOCKS_APART = timedelta(minutes=1)

_ASKED = (
    *("token", "offering", "dialect", "rights", "components"),
    *("prices", "people", "members", "clock"),
)


@dataclass(frozen=True, slots=True)
class Right:
    """Something the agent must do in Waldur, and the roles that Waldur lets do it.

    `newest`: roles that only the newest Waldur lets do it; which one answers cannot be asked.
    """

    work: str
    directions: frozenset[str]
    roles: tuple[str, ...]
    newest: tuple[str, ...] = ()


MANAGERS = ("OFFERING.MANAGER", "CUSTOMER.MANAGER")

RIGHTS = (
    Right(
        "approve and complete orders",
        frozenset({"pull"}),
        (STAFF, OWNER),
        newest=MANAGERS,
    ),
    Right(
        "change resources of the offering",
        frozenset({"pull", "push"}),
        (STAFF, OWNER, "OFFERING.MANAGER"),
        newest=MANAGERS,
    ),
    Right(
        "report usage",
        frozenset({"push"}),
        (STAFF, OWNER, "OFFERING.MANAGER"),
        newest=MANAGERS,
    ),
)


def judge_waldur(facts: Facts) -> Iterator[Finding]:
    waldur, told = facts.waldur, facts.settings
    if isinstance(waldur, ExpectedError):
        first = _judge_no_answer(waldur, told)
        yield first
        because = f"see {first.subject}"
        yield from (unknown(subject, because) for subject in _ASKED if subject != first.subject)
        return
    yield fine("Waldur", f"{told.api_url} answers and takes the token")
    yield judge_offering(waldur)
    yield judge_dialect(waldur)
    if told.direction == "push":
        yield judge_closed_months(waldur)
    yield from judge_rights(waldur, told)
    yield from judge_components(waldur, facts.components)
    yield from judge_prices(waldur)
    yield judge_people(waldur.offering_users)
    yield from judge_rows(waldur)
    if told.direction == "pull":
        yield from judge_members(waldur)
    yield from judge_ends(waldur)
    yield from judge_policies(waldur)
    yield judge_clock(waldur)


def _judge_no_answer(error: ExpectedError, told: SettingsFacts) -> Finding:
    if isinstance(error, WaldurUnreachable):
        return failed(
            "Waldur",
            str(error),
            "see that WALDUR_API_URL is right and can be reached from this host (curl -v"
            f" {told.api_url}), and that its certificate is trusted here",
        )
    if isinstance(error, NoWaldurThere | UnexpectedPayload):
        return failed(
            "Waldur",
            str(error),
            f"set WALDUR_API_URL to the address of Waldur's API, such as {_api_of(told.api_url)}",
        )
    if isinstance(error, SettingsError):
        return failed(
            "offering", str(error), "set WALDUR_OFFERING_UUID to an offering that is for agents"
        )
    if isinstance(error, WaldurRejected) and error.status == 401:
        cure = f"put into {told.token_file}" if told.token_file else "set WALDUR_API_TOKEN to"
        return failed(
            "token",
            str(error),
            f"{cure} the token that Waldur shows under Credentials of the service provider's user",
        )
    if isinstance(error, WaldurRejected) and error.status in (403, 404):
        return failed(
            "offering",
            str(error),
            "set WALDUR_OFFERING_UUID to the offering's UUID (it is in the address of its page),"
            " and see that the token's user owns the service provider",
        )
    return failed("Waldur", str(error), "tell whoever runs Waldur what it answered")


def _api_of(address: str) -> str:
    """Where Waldur has its API, on the host that the address names."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/api/"


def judge_offering(waldur: WaldurFacts) -> Finding:
    offering = waldur.offering
    if offering.is_unavailable:
        return warning(
            "offering",
            f"{offering.name!r} is Unavailable: Waldur takes no orders and no change of its"
            " resources, and the agent holds back what it has to tell",
            "make it available again in Waldur",
        )
    if offering.state not in ("Active", "Paused"):
        return warning(
            "offering",
            f"{offering.name!r} is {offering.state}",
            "activate it in Waldur, so that customers can order",
        )
    return fine("offering", f"{offering.name!r} is {offering.state}")


def judge_dialect(waldur: WaldurFacts) -> Finding:
    return fine("dialect", f"Waldur speaks {waldur.dialect.value!r}")


def judge_closed_months(waldur: WaldurFacts) -> Finding:
    """Which usage may still be reported when its month is over."""
    subject = "closed months"
    if not waldur.dialect.takes_dates:
        return warning(
            subject,
            "this Waldur takes no usage for a month that is over",
            "keep push running over every month's end; what is left over is shown by `usage`",
        )
    if isinstance(waldur.rights, ExpectedError):
        return unknown(subject, str(waldur.rights))
    if waldur.rights.holds(STAFF):
        return fine(subject, "all usage can be reported later")
    return fine(
        subject,
        "of components billed by limit usage can be reported later, of others while the customer's"
        " invoice of the month may change",
    )


def judge_rights(waldur: WaldurFacts, told: SettingsFacts) -> Iterator[Finding]:
    rights = waldur.rights
    if isinstance(rights, ExpectedError):
        yield unknown("rights", str(rights))
        return
    found = _roles(rights)
    advice = "in Waldur, make the user an owner of the service provider's organization"
    for right in RIGHTS:
        if told.direction not in right.directions:
            continue
        subject = f"right to {right.work}"
        if rights.holds(*right.roles):
            yield fine(subject, found)
        elif rights.holds(*right.newest):
            yield warning(subject, f"{found}: that is enough for newer Waldur only", advice)
        else:
            yield failed(subject, found, advice)
    if told.direction == "push":
        yield from _judge_managers_usage(waldur, rights)


def _roles(rights: Rights) -> str:
    if rights.here:
        return f"the token's user is {', '.join(map(str, rights.here))}"
    found = "the token's user has no role in this offering or the organization that provides it"
    return f"{found}, but is {', '.join(map(str, rights.elsewhere))}" if rights.elsewhere else found


def _judge_managers_usage(waldur: WaldurFacts, rights: Rights) -> Iterator[Finding]:
    """On `today` a manager reports what managers may not read, and nothing with a date."""
    if waldur.dialect is not Dialect.TODAY or rights.are_owners:
        return
    if rights.holds(*MANAGERS):
        yield failed(
            "right to read and correct usage",
            "a manager may report the usage of the running month, but not that of a closed one, and"
            " on many servers may not read what was reported",
            "in Waldur, make the user an owner of the service provider's organization",
        )


def judge_components(
    waldur: WaldurFacts, components: Known[tuple[Component, ...]]
) -> Iterator[Finding]:
    """Compare offering and file both ways."""
    subject = "components"
    if isinstance(components, ExpectedError):
        yield unknown(subject, "the TRES file cannot be read")
        return
    unsold = tuple(judge_unsold(waldur, components))
    yield from unsold
    misspelt = {component.type for component, _ in misspellings(waldur, components)}
    changes = plan_components(waldur.offering.components, components)
    changed = (change for change in changes if change.action is not Action.UNCHANGED)
    apart = [each.component.type for each in changed if each.component.type not in misspelt]
    if apart:
        yield warning(
            subject,
            f"in Waldur {', '.join(apart)} differ from the TRES file, or are missing",
            "waldur-slurm-agent --load-components --dry-run shows how; without --dry-run it mends",
        )
    elif not unsold:
        number = counted(len(changes), "component is", "components are")
        yield fine(subject, f"{number} in step with the TRES file")


def judge_prices(waldur: WaldurFacts) -> Iterator[Finding]:
    """Whether Waldur can book a change of limits: over one without a price it breaks."""
    subject = "prices"
    lacking = list(unpriced(waldur.offering, waldur.dialect))
    for plan, kinds in lacking:
        prices = ", ".join(f'"{kind}": 0' for kind in kinds)
        yield failed(
            subject,
            f"the plan {plan.name!r} has no price for {', '.join(kinds)}: no order can change the"
            " limits of its allocations",
            "set a price for each in Waldur, 0 if it costs nothing: in the offering's accounting,"
            f" or POST marketplace-plans/{plan.uuid}/update_prices/ with"
            f' {{"prices": {{{prices}}}}}',
        )
    if not lacking:
        yield fine(subject, "whatever has limits that can be changed has a price in each plan")


def judge_people(users: Known[tuple[OfferingUser, ...]]) -> Finding:
    subject = "people"
    if isinstance(users, ExpectedError):
        return failed(subject, str(users), "the token must be allowed to read the offering's users")
    people = counted(len(users), "person has", "people have")
    nameless = sum(not user.is_usable for user in users)
    if nameless:
        return warning(
            subject,
            f"{nameless} of {people} no usable user name in this offering",
            "give them one in Waldur (the offering's users): the agent never invents names",
        )
    return fine(subject, f"{people} a user name")


def judge_clock(waldur: WaldurFacts) -> Finding:
    if waldur.server_time is None:
        return warning(
            "clock", "Waldur sends no date", "see that no proxy takes its Date header away"
        )
    apart = abs(waldur.server_time - waldur.local_time)
    found = f"this host and Waldur are {apart.total_seconds():.0f} s apart"
    if apart > CLOCKS_APART:
        return warning("clock", found, "let both follow the same time (timedatectl, chrony)")
    return fine("clock", found)
