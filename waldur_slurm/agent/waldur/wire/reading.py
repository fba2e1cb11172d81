"""Waldur's JSON and the values it stands for: pure, tolerant of what is new, strict on promises.

Unknown fields are ignored and unknown states read as `OTHER`; a field that the contract promises
and that is missing, or of another type, is `UnexpectedPayload` with the path to it.
"""

from enum import StrEnum
from typing import TypeVar

import msgspec

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.marketplace import CustomerUuid, Project, ProjectUuid, canonical_uuid
from waldur_slurm.agent.waldur.wire.rows import BelongingRow, NamedRow
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.copies import one_copy

E = TypeVar("E", bound=StrEnum)
S = TypeVar("S", bound=msgspec.Struct)


def read_row(kind: type[S], raw: object, where: str) -> S:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise UnexpectedPayload(f"{where}: {error}") from error


def known_state(states: type[E], text: str, other: E) -> E:
    try:
        return states(text)
    except ValueError:
        return other


def canonical(text: str) -> str:
    """One copy of each: people and projects come again from list to list."""
    try:
        return one_copy(canonical_uuid(text))
    except InvalidName as error:
        raise UnexpectedPayload(str(error)) from error


def last_uuid(url: str) -> str:
    return canonical(url.rstrip("/").rpartition("/")[2])


def parse_uuid(raw: object, where: str) -> str:
    return canonical(read_row(NamedRow, raw, where).uuid)


def project_of(row: BelongingRow) -> Project:
    return Project(
        uuid=ProjectUuid(canonical(row.project_uuid)),
        name=row.project_name,
        slug=row.project_slug,
        customer_uuid=CustomerUuid(canonical(row.customer_uuid)),
        customer_name=row.customer_name,
        customer_slug=row.customer_slug,
    )
