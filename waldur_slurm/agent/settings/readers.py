"""Readers of what only the agent is told: whose offering, and which container."""

import re


def uuid(text: str) -> str:
    """Read a UUID with or without dashes; Waldur writes it without."""
    bare = text.replace("-", "").lower()
    if re.fullmatch(r"[0-9a-f]{32}", bare):
        return bare
    raise ValueError("a UUID of 32 hexadecimal digits, as in the address of Waldur's page")


def container(text: str) -> str:
    """Read a Docker container's name or id; nothing that the command line could misread."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", text):
        return text
    raise ValueError("the name of a running container")
