"""The third original's environment, and its `.env`, in the gateway's own variables. Pure.

Every name of the original's has an effect, or is named with the reason why it has none. Its
document calls some `NOTIFICATIONS_…` that its code calls by what is behind that; both are known.
"""

import re
from collections.abc import Iterator, Mapping

from waldur_slurm.gateway.configs.told import NotHonoured, Told
from waldur_slurm.variables.variable import plain

_HOST, _PORT = "127.0.0.1", "5001"
"""Where the original's document says that it is found."""

DOCUMENTED = "NOTIFICATIONS_"

_LETTERS = (
    "RABBITMQ_HOST",
    "RABBITMQ_PORT",
    "RABBITMQ_USERNAME",
    "RABBITMQ_PASSWORD",
    "RABBITMQ_PATH",
    "SMTP_SERVER",
    "SMTP_PORT",
    "SMTP_USERNAME",
    "SMTP_PASSWORD",
    "GMAIL_CREDENTIALS_PATH",
    "SLACK_BOT_TOKEN",
    "SLACK_CHANNEL",
)

_SSH = ("SSH_USERNAME", "SSH_HOSTNAME", "SSH_PRIVATE_KEY_PATH")

_ITS_OWN = (
    "FLASK_APP_NAME",
    "FLASK_APP_HOST",
    "FLASK_APP_PORT",
    "FLASK_APP_DEBUG_MODE",
    "FLASK_APP_USE_RELOADER",
    "SLURM_JWT_HS256_KEY_BASE64",
    "MONGODB_MONITOR_DB",
    "MONGODB_MONITOR_JOBS_COLLECTION",
)
"""Whoever sets one of these has a slurm-proxy."""

SECRETS = ("SLURM_JWT_HS256_KEY_BASE64", "MONGODB_URI", "NOTIFICATIONS_RABBITMQ_PASSWORD",
           "NOTIFICATIONS_SMTP_PASSWORD", "NOTIFICATIONS_SLACK_BOT_TOKEN")  # fmt: skip
"""What must never be printed, though no setting of the gateway's."""

UNWANTED = ("SLURM_JWT_HS256_KEY_BASE64", "MONGODB_URI")
"""What no program that the gateway starts is to be handed."""

_KEPT = (
    "what is monitored is kept in GATEWAY_STATE_DIR; take the collection over once by"
    " `slurm-gateway import proxy mongodump.json`"
)
_NO_EFFECT: Mapping[str, str] = {
    "FLASK_APP_NAME": "the program is called slurm-gateway",
    "SLURM_JWT_HS256_KEY_BASE64": (
        "nothing here holds Slurm's key: the hand asks `scontrol token` as the user; take it out"
    ),
    "SLURM_REST_JWT_EXPIRATION_TIME": (
        "a token is asked for by `scontrol token`, serves for ten minutes and leaves the gateway"
        " for slurmrestd alone"
    ),
    "MONGODB_URI": _KEPT,
    "MONGODB_MONITOR_DB": _KEPT,
    "MONGODB_MONITOR_JOBS_COLLECTION": _KEPT,
    "MONGODB_TIMEOUT": _KEPT,
}
_FLAGS: Mapping[str, str] = {
    "FLASK_APP_DEBUG_MODE": (
        "it opens a debugger to whoever asks; GATEWAY_LOG_LEVEL=debug tells more"
    ),
    "FLASK_APP_USE_RELOADER": "the gateway is started anew where its program changes",
}
_ON = frozenset({"true", "yes", "on", "1", "t", "y"})


def is_of_proxy(environ: Mapping[str, str]) -> bool:
    """Whether the environment is one of slurm-proxy's."""
    return any(_value(environ, name) for name in _ITS_OWN)


def read_proxy(environ: Mapping[str, str]) -> Told:
    """Names of the document count only where those of the code say nothing."""
    mistakes: list[str] = []
    told = {
        name: _value(environ, f"{DOCUMENTED}{name}")
        for name in _LETTERS
        if _value(environ, f"{DOCUMENTED}{name}")
    }
    variables = {
        **told,
        **_sender({**told, **environ}),
        **_slurmrestd(environ, mistakes),
    }
    return Told(
        variables=variables,
        listens=tuple(_listens(environ, mistakes)),
        not_honoured=tuple(_not_honoured(environ)),
        mistakes=tuple(mistakes),
    )


def _value(environ: Mapping[str, str], name: str) -> str:
    return plain(environ.get(name, ""))


def _listens(environ: Mapping[str, str], mistakes: list[str]) -> Iterator[str]:
    host = _value(environ, "FLASK_APP_HOST") or _HOST
    port = _value(environ, "FLASK_APP_PORT") or _PORT
    if not port.isascii() or not port.isdecimal() or not 1 <= int(port) <= 65_535:
        mistakes.append("FLASK_APP_PORT: expected a number from 1 to 65535")
        return
    yield f"[{host}]:{port}=proxy" if ":" in host else f"{host}:{port}=proxy"


def _sender(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The original let each task name its sender; who signs in is the one whom a relay lets."""
    name = _value(environ, "SMTP_USERNAME")
    return {"GATEWAY_SMTP_FROM": name} if "@" in name else {}


def _slurmrestd(environ: Mapping[str, str], mistakes: list[str]) -> Mapping[str, str]:
    """Of an address with a path, as one of its variables has it, the path is made here."""
    for name in ("SLURM_REST_HOST", "SLURM_REST_URL"):
        text = _value(environ, name)
        if not text:
            continue
        found = re.fullmatch(r"(https?://[^/?#@]+)(/[^?#]*)?", text, re.ASCII)
        if found:
            return {"GATEWAY_SLURMRESTD_URL": found[1]}
        mistakes.append(f"{name}: expected where slurmrestd is, such as http://slurm-rest:6820")
    return {}


def _not_honoured(environ: Mapping[str, str]) -> Iterator[NotHonoured]:
    for name, why in _NO_EFFECT.items():
        if _value(environ, name):
            yield NotHonoured(name, why)
    for name, why in _FLAGS.items():
        if _value(environ, name).lower() in _ON:
            yield NotHonoured(name, why)
    yield from _addresses(environ)
    yield from _ssh(environ)
    yield from _contradicted(environ)


def _addresses(environ: Mapping[str, str]) -> Iterator[NotHonoured]:
    listens = _value(environ, "GATEWAY_LISTEN")
    if not listens:
        return
    ports = {each.partition("=")[0].rpartition(":")[2] for each in listens.split(",")}
    if (port := _value(environ, "FLASK_APP_PORT")) and port not in ports:
        yield NotHonoured("FLASK_APP_PORT", "GATEWAY_LISTEN is set, has no such port, and counts")
    if (host := _value(environ, "FLASK_APP_HOST")) and host not in listens:
        yield NotHonoured("FLASK_APP_HOST", "GATEWAY_LISTEN is set, has no such host, and counts")


def _ssh(environ: Mapping[str, str]) -> Iterator[NotHonoured]:
    if _value(environ, "GATEWAY_EXECUTOR") == "ssh":
        return
    for name in _SSH:
        if _value(environ, name):
            yield NotHonoured(name, "it is the way to Slurm with GATEWAY_EXECUTOR=ssh alone")


def _contradicted(environ: Mapping[str, str]) -> Iterator[NotHonoured]:
    for name in _LETTERS:
        code, document = _value(environ, name), _value(environ, f"{DOCUMENTED}{name}")
        if code and document and code != document:
            yield NotHonoured(f"{DOCUMENTED}{name}", f"{name} is set to something else, and counts")
