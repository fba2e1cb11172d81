"""Readers of what only the agent is told: whose offering, which container, which names in Slurm."""

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


def account_prefix(text: str) -> str:
    if re.fullmatch(r"[a-z0-9_][a-z0-9_.-]{0,31}", text.lower(), re.ASCII):
        return text.lower()
    raise ValueError("up to 32 lower-case letters, digits, '_', '-' or '.'")


def qos_name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", text, re.ASCII):
        return text
    raise ValueError("the name of a QoS")
