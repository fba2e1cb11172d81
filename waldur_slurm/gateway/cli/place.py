"""Where the gateway is and what opens it, as the environment and the command line say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.variables.variable import plain

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Place:
    url: str
    token: str
    cluster: str
    cacert: str

    def open(self, patience: timedelta) -> Gateway:
        return Gateway(
            self.url,
            self.token,
            cluster=self.cluster,
            verify=self.cacert or True,
            patience=patience,
        )

    @property
    def is_overheard(self) -> bool:
        """Whether the token goes over a network where others can read it."""
        parts = urlsplit(self.url)
        return bool(self.token) and parts.scheme == "http" and parts.hostname not in _HERE


def read_place(told: Mapping[str, str | None], environ: Mapping[str, str]) -> Place:
    """Take what was typed (`url`, `cacert`, ...) before what is in the environment."""

    def value(name: str) -> str:
        return told.get(name.lower()) or plain(environ.get(f"GATEWAY_{name}", ""))

    url, cacert = value("URL"), value("CACERT")
    mistakes = [*_url_mistakes(url)]
    if cacert and not Path(cacert).is_file():
        mistakes.append(f"GATEWAY_CACERT: there is no file {cacert}")
    token = _token(told.get("token_file") or "", environ, mistakes)
    if mistakes:
        raise SettingsError(mistakes)
    return Place(url, token, told.get("cluster") or "", cacert)


def _url_mistakes(url: str) -> list[str]:
    expected = "expected the gateway's address, such as https://gateway.example.org"
    if not url:
        return [f"GATEWAY_URL is not set, and there is no --url; {expected}"]
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_right = is_right and not (parts.query or parts.fragment or parts.username)
        is_right = is_right and (parts.port is None or parts.port > 0)
    except ValueError:
        is_right = False
    return [] if is_right else [f"GATEWAY_URL: {url!a}: {expected}"]


def _token(typed: str, environ: Mapping[str, str], mistakes: list[str]) -> str:
    """Read the token; a file that was typed comes first, then the token itself, then its file."""
    token = "" if typed else plain(environ.get("GATEWAY_TOKEN", ""))
    file = typed or plain(environ.get("GATEWAY_TOKEN_FILE", ""))
    if not token and not file:
        return ""
    where = "GATEWAY_TOKEN" if token else file
    if not token:
        try:
            token = Path(file).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            mistakes.append(f"the token cannot be read from {file}: {why}")
            return ""
    if not _TOKEN.fullmatch(token):
        mistakes.append(f"{where}: expected a token on one line, without blanks")
        return ""
    return token
