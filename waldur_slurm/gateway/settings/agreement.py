"""Mistakes that no variable makes alone: what they must be to each other."""

from collections.abc import Iterator, Mapping
from typing import Any

_OF_SSH = ("SSH_HOSTNAME", "SSH_USERNAME", "SSH_PRIVATE_KEY_PATH", "GATEWAY_SSH_KNOWN_HOSTS")


def mistakes_across(_environ: Mapping[str, str], values: dict[str, Any]) -> Iterator[str]:
    """Complain of what does not fit together."""
    yield from _doubled_mistakes(values)
    yield from _tls_mistakes(values)
    yield from _people_mistakes(values)
    yield from _acting_mistakes(values)
    yield from _app_mistakes(values)
    yield from _letter_mistakes(values)


def _doubled_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    """A port serves the same at each of its addresses; a cluster has a name of its own."""
    names = [source.name for source in values.get("GATEWAY_CLUSTERS") or ()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"GATEWAY_CLUSTERS: {name} is there twice; expected each name once"
    at_ports: dict[int, Any] = {}
    for listener in values.get("GATEWAY_LISTEN", ()):
        other = at_ports.setdefault(listener.at.port, listener)
        if other is listener:
            continue
        if other.at == listener.at:
            yield f"GATEWAY_LISTEN: {listener.at} is there twice; expected each address once"
        elif other.surfaces != listener.surfaces:
            yield (
                f"GATEWAY_LISTEN: {other} and {listener} have one port; expected another port"
                " for what serves other parts"
            )


def _tls_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    """What is said in the open off this machine can be read by others, tokens too."""
    if values.get("GATEWAY_TLS_KEY") and not values.get("GATEWAY_TLS_CERTIFICATE"):
        yield "GATEWAY_TLS_KEY is set without GATEWAY_TLS_CERTIFICATE; expected both, or neither"
    if values.get("GATEWAY_TLS_CERTIFICATE") or values.get("GATEWAY_PLAIN_HTTP"):
        return
    for listener in values.get("GATEWAY_LISTEN", ()):
        if not listener.is_loopback:
            yield (
                f"GATEWAY_LISTEN: {listener.at} is not loopback, and there is no TLS; expected"
                " GATEWAY_TLS_CERTIFICATE, a loopback address behind a proxy that has TLS, or"
                " GATEWAY_PLAIN_HTTP=true where nobody can listen"
            )


def _people_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    """A token of an issuer that was meant for another service must not open this one."""
    if values.get("GATEWAY_OIDC_ISSUER"):
        for name in ("GATEWAY_OIDC_AUDIENCE", "GATEWAY_ROLES"):
            if name in values and not tuple(values[name] or ()):
                yield f"{name} is not set; GATEWAY_OIDC_ISSUER needs it"
    if values.get("GATEWAY_OIDC_CLIENT_ID"):
        for name in ("GATEWAY_OIDC_ISSUER", "GATEWAY_OIDC_REDIRECT_URL"):
            if name in values and not values[name]:
                yield f"{name} is not set; GATEWAY_OIDC_CLIENT_ID needs it"
    least, most = values.get("GATEWAY_MIN_UID", 0), values.get("GATEWAY_MAX_UID", 2**32)
    if least > most:
        yield f"GATEWAY_MIN_UID is {least}, above GATEWAY_MAX_UID, {most}"


def _acting_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    """Root's hand.conf counts wherever the hand becomes somebody else."""
    executor = values.get("GATEWAY_EXECUTOR")
    is_itself = executor in ("self", "ssh")
    for name in ("GATEWAY_HAND_CONF",) * is_itself + _OF_SSH * (executor == "ssh"):
        if name in values and not values[name]:
            yield f"{name} is not set; GATEWAY_EXECUTOR={executor} needs it"
    if values.get("GATEWAY_CONNECTOR") == "slurmrestd":
        for name in ("GATEWAY_SLURMRESTD_URL", "GATEWAY_EXECUTOR"):
            if name in values and not values[name]:
                yield f"{name} is not set; GATEWAY_CONNECTOR=slurmrestd needs it"
    if values.get("GATEWAY_HAND_CONF") and values.get("GATEWAY_EXECUTOR") and not is_itself:
        yield "GATEWAY_HAND_CONF is set; expected it with GATEWAY_EXECUTOR=self or ssh alone"


def _app_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    """Slurmer's clients cannot show what nobody signs."""
    if values.get("GATEWAY_APPS") and not values.get("GATEWAY_APPS_DIR"):
        yield "GATEWAY_APPS_DIR is not set; GATEWAY_APPS needs it"
    if values.get("GATEWAY_SLURMER_OIDC") and not values.get("GATEWAY_OIDC_ISSUER"):
        yield "GATEWAY_OIDC_ISSUER is not set; GATEWAY_SLURMER_OIDC=true needs it"


def _letter_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    """A password goes with a name, and never in the open."""
    for name in ("SMTP_SERVER", "GMAIL_CREDENTIALS_PATH"):
        if values.get(name) and not values.get("GATEWAY_SMTP_FROM", "a mistake itself"):
            yield f"GATEWAY_SMTP_FROM is not set; {name} needs it"
    if bool(values.get("SMTP_USERNAME")) != bool(values.get("SMTP_PASSWORD")):
        yield "of SMTP_USERNAME and SMTP_PASSWORD one is set; expected both, or neither"
    if values.get("SMTP_PASSWORD") and values.get("GATEWAY_SMTP_SECURITY") == "none":
        yield (
            "GATEWAY_SMTP_SECURITY is none, and SMTP_PASSWORD is set; expected starttls or tls, or"
            " no password"
        )
