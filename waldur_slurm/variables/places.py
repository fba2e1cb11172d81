"""Readers of where something is: a path, an address that is asked, an address that is served."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from waldur_slurm.variables.variable import Secret


def path(text: str) -> Path:
    if "\0" in text:
        raise ValueError("a path")
    return Path(text)


def base_url(text: str) -> str:
    """Read an http(s) address; it comes back with a slash at its end."""
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or "@" in parts.netloc or re.search(r"[?#\s]", text):
        raise ValueError("an address such as https://waldur.example.com/api/")
    return f"{text.rstrip('/')}/"


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address(text: str) -> Address:
    """Read `127.0.0.1:9464`, `localhost:9464` or `[::1]:9464`; a host must be named."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})", text, re.ASCII)
    if match and 1 <= int(match[3]) <= 65_535:
        return Address(match[1] or match[2], int(match[3]))
    raise ValueError("a host and a port such as 127.0.0.1:9464")


def sentry_dsn(text: str) -> Secret:
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"} and parts.username and parts.hostname:
        return Secret(text)
    raise ValueError("Sentry's Data Source Name such as https://KEY@sentry.example.com/1")
