"""What new accounts are called; pure, and the same for the same input for ever.

Names as users of the original agent know them. A name that is taken gets more of the uuid.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from waldur_slurm.agent.model.marketplace import Project, Resource
from waldur_slurm.agent.pull.world.choices import Naming
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.names import AccountName, account_name

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
_UUID_LENGTHS = (5, 8, 12, 16, 24, 32)


def allocation_names(policy: PullPolicy, resource: Resource) -> Iterator[AccountName]:
    """Names for the allocation's account, the preferred one first.

    The resource's uuid is known before an order is approved, so that a plan names what is made.
    """
    return _allocation_names(policy, resource, resource.uuid)


def original_name(policy: PullPolicy, resource: Resource) -> AccountName | None:
    """What the original agent called it, which took the hidden allocation's uuid."""
    uuid = resource.allocation_uuid or resource.uuid
    return next(_allocation_names(policy, resource, uuid), None)


def _allocation_names(policy: PullPolicy, resource: Resource, uuid: str) -> Iterator[AccountName]:
    texts = [f"{uuid[:length]}_{resource.name[:1000]}" for length in _UUID_LENGTHS]
    if policy.naming is Naming.SLUG and resource.slug:
        texts = [resource.slug, *(f"{uuid[:length]}_{resource.slug}" for length in _UUID_LENGTHS)]
    prefix, longest = policy.allocation_prefix, policy.name_max_length
    return _usable(_FOREIGN.sub("", f"{prefix}{text}")[:longest] for text in texts)


def parent_names(policy: PullPolicy, kind: MarkKind, project: Project) -> Iterator[AccountName]:
    """Names for the account of the project or of its customer, the preferred one first."""
    if kind is MarkKind.PROJECT:
        prefix, slug, uuid = policy.project_prefix, project.slug, str(project.uuid)
    else:
        prefix, slug = policy.customer_prefix, project.customer_slug
        uuid = project.customer_uuid
    texts = [uuid]
    if policy.naming is Naming.SLUG and slug:
        plain = _FOREIGN.sub("", slug)
        texts = [plain, f"{uuid[:5]}_{plain}", uuid]
    return _usable(f"{prefix}{text}" for text in texts)


def _usable(texts: Iterable[str]) -> Iterator[AccountName]:
    for text in dict.fromkeys(text.lower() for text in texts):
        with suppress(InvalidName):
            yield account_name(text)
