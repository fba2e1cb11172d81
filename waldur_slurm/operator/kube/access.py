"""Where the API server is, and what it knows us by: a pod's own account, or a kubeconfig."""

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from waldur_slurm.errors import SettingsError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Access:
    """`token_file` is read again for each connection that is refused: its content is replaced."""

    server: str
    trust: ssl.SSLContext
    token_file: Path | None = None
    token: str = ""


def access_in_pod(host: str, port: str, account: Path = ACCOUNT) -> Access:
    """Return what a pod's own account opens."""
    place = f"[{host}]" if ":" in host else host
    trust = ssl.create_default_context(cafile=str(account / "ca.crt"))
    return Access(f"https://{place}:{port}", trust, account / "token")


def access_by_kubeconfig(file: Path) -> Access:
    """Return what the current context of a kubeconfig opens.

    Programs that a kubeconfig would have run are not: a service has an account of its own.
    """
    config = _read(file)
    context = _named(config, "contexts", "context", config.get("current-context"), file)
    cluster = _named(config, "clusters", "cluster", context.get("cluster"), file)
    user = _named(config, "users", "user", context.get("user"), file)
    server = str(cluster.get("server", ""))
    if not server.startswith("https://"):
        raise SettingsError([f"{file}: the server is {server!r}, and has to begin with https://"])
    if cluster.get("insecure-skip-tls-verify"):
        raise SettingsError([f"{file}: insecure-skip-tls-verify would let anybody be the server"])
    if "exec" in user or "auth-provider" in user:
        raise SettingsError([f"{file}: the user is known by a program; give it a token instead"])
    trust = _trust(cluster, user, file)
    told = user.get("tokenFile")
    return Access(server, trust, file.parent / told if told else None, str(user.get("token", "")))


def _read(file: Path) -> Mapping[str, Any]:
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"{file} cannot be read: {error.strerror}"]) from error
    except (ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise SettingsError([f"{file} is no YAML: {why}"]) from error
    if not isinstance(config, dict):
        raise SettingsError([f"{file} is no kubeconfig"])
    return config


def _named(
    config: Mapping[str, Any], kind: str, of: str, name: object, file: Path
) -> Mapping[str, Any]:
    for each in config.get(kind) or ():
        if isinstance(each, dict) and each.get("name") == name:
            found = each.get(of)
            return found if isinstance(found, dict) else {}
    why = f"has no {of} {name!r}" if name else f"does not say which {of} is meant"
    raise SettingsError([f"{file} {why}"])


def _trust(cluster: Mapping[str, Any], user: Mapping[str, Any], file: Path) -> ssl.SSLContext:
    try:
        authority = _content(cluster, "certificate-authority", file)
        trust = ssl.create_default_context(cadata=authority.decode() if authority else None)
        certificate, key = (
            _content(user, f"client-{part}", file) for part in ("certificate", "key")
        )
        if certificate and key:
            _load(trust, certificate, key)
    except (OSError, ValueError) as error:
        raise SettingsError([f"{file}: its certificates cannot be used: {error}"]) from error
    return trust


def _content(told: Mapping[str, Any], name: str, file: Path) -> bytes:
    """Return what stands in a kubeconfig itself, or in a file that it names."""
    if f"{name}-data" in told:
        return base64.b64decode(str(told[f"{name}-data"]), validate=True)
    return (file.parent / str(told[name])).read_bytes() if name in told else b""


def _load(trust: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Python takes them from files alone; this one is gone when they are taken."""
    with tempfile.NamedTemporaryFile() as together:
        together.write(certificate + b"\n" + key)
        together.flush()
        trust.load_cert_chain(together.name)
