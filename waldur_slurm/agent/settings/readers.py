"""Readers of what only the agent is told: whose offering, and which container."""

import re

from waldur_slurm.agent.model.marketplace import canonical_uuid
from waldur_slurm.errors import InvalidName


def uuid(text: str) -> str:
    """Read a UUID with or without dashes; Waldur writes it without."""
    try:
        return canonical_uuid(text)
    except InvalidName:
        raise ValueError(
            "a UUID of 32 hexadecimal digits, as in the address of Waldur's page"
        ) from None


def container(text: str) -> str:
    """Read a Docker container's name or id; nothing that the command line could misread."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", text):
        return text
    raise ValueError("the name of a running container")
