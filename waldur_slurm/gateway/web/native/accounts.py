"""People and accounts of the accounting: who may use which, as a tree where it is one."""

import msgspec

from waldur_slurm.gateway.web.native.cluster import listing
from waldur_slurm.model.past import Membership, Person


class PersonView(msgspec.Struct, frozen=True):
    """`level` is Slurm's word: None, Operator or Administrator."""

    name: str
    default_account: str | None
    level: str


class AssociationView(msgspec.Struct, frozen=True):
    """An empty partition is all of them."""

    id: int
    account: str
    user: str
    partition: str
    qos: tuple[str, ...]
    default_qos: str


def person_view(person: Person) -> PersonView:
    return PersonView(person.name, person.default_account, person.level)


def association_view(membership: Membership) -> AssociationView:
    return AssociationView(
        id=membership.id,
        account=membership.account,
        user=membership.user,
        partition=membership.partition,
        qos=membership.qos,
        default_qos=membership.default_qos,
    )


list_users = listing(
    "users", lambda cluster: cluster.people, person_view, lambda person: person.name
)
list_associations = listing(
    "associations",
    lambda cluster: cluster.memberships,
    association_view,
    lambda membership: membership.user,
)
