"""The first original's `config.yml`, read as it is. Pure.

Every key has an effect, or is named with the reason why it has none. The file is never written:
what the original added to it is made by commands.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from waldur_slurm.gateway.configs.sections import Check, Sections, is_flag, is_seconds, is_text
from waldur_slurm.gateway.configs.told import Document, NotHonoured, Told

SECTIONS = frozenset({"slurmer", "slurmrest", "oidc"})

_HOST, _PORT = "127.0.0.1", 8080
"""Where the original's document has it listen."""

_LEVELS = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "warn": "warning",
    "error": "error",
    "fatal": "error",
    "panic": "error",
}

OVERRIDES: Mapping[str, tuple[str, ...]] = {
    "SLURMREST_URL": ("slurmrest", "url"),
    "SLURMER_IP": ("slurmer", "ip"),
    "SLURMER_PORT": ("slurmer", "port"),
    "SLURMER_CONNECTOR": ("slurmer", "connector"),
    "SLURMER_WD": ("slurmer", "working_dir"),
    "SLURMER_TEMPLATES_DIR": ("slurmer", "templates_dir"),
    "SLURMER_EXECUTOR_PATH": ("slurmer", "executor_path"),
    "SLURMER_POLL_INTERVAL": ("slurmer", "poll_interval"),
    "SLURMER_LOGS_FORMAT": ("slurmer", "logs", "format"),
    "SLURMER_LOGS_STDOUT": ("slurmer", "logs", "stdout"),
    "SLURMER_LOGS_OUTPUT": ("slurmer", "logs", "output"),
    "SLURMER_LOGS_LEVEL": ("slurmer", "logs", "level"),
    "OIDC_ENABLED": ("oidc", "enabled"),
    "OIDC_ISSUER": ("oidc", "issuer"),
    "OIDC_AUDIENCE": ("oidc", "audience"),
    "SLURMER_OIDC_ENABLED": ("oidc", "enabled"),
    "SLURMER_OIDC_ISSUER": ("oidc", "issuer"),
    "SLURMER_OIDC_AUDIENCE": ("oidc", "audience"),
}
"""Variables of the environment that win over the file, the later ones over the earlier."""

_NO = frozenset({"", "no", "false"})
"""What a flag in the environment is when it is not set; all else sets it."""

_KNOWN = {
    "slurmer": {
        "ip", "port", "connector", "working_dir", "templates_dir", "executor_path", "applications",
        "poll_interval", "logs",
    },
    "slurmrest": {"url"},
    "oidc": {"enabled", "issuer", "audience"},
    "slurmer.logs": {"format", "stdout", "output", "level"},
}  # fmt: skip


def is_of_slurmer(document: Document) -> bool:
    """Whether a file with these sections is one of Slurmer's."""
    return bool(document) and document.keys() <= SECTIONS


def read_slurmer(document: Document, environ: Mapping[str, str]) -> Told:
    reader = Sections(_overlaid(document, environ), SECTIONS, _EXPECTED)
    reader.add_nested("slurmer", "logs")
    variables = {
        **_places(reader),
        **_apps(reader),
        **_logs(reader),
        **_interval(reader),
        **_issuer(reader),
        **_executor(reader),
        **_connector(reader),
    }
    return Told(
        variables=variables,
        listens=(f"{_address(reader)}=slurmer",),
        not_honoured=tuple(_not_honoured(reader)),
        mistakes=tuple(reader.mistakes),
    )


def _overlaid(document: Document, environ: Mapping[str, str]) -> dict[str, Any]:
    """Put what the environment says in the place of what the file does."""
    found: dict[str, Any] = {name: _copied(value) for name, value in document.items()}
    for name, path in OVERRIDES.items():
        text = environ.get(name, "")
        if not text:
            continue
        section = found
        for key in path[:-1]:
            if not isinstance(section.get(key), dict):
                section[key] = {}
            section = section[key]
        section[path[-1]] = _typed(path[-1], text)
    return found


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copied(each) for key, each in value.items()}
    return value


def _typed(key: str, text: str) -> object:
    if key in ("enabled", "stdout"):
        return text not in _NO
    if key in ("port", "poll_interval") and text.isascii() and text.isdecimal():
        return int(text)
    return text


def _is_port(value: object) -> bool:
    """The original takes the port as text too."""
    return is_text(value) and str(value).isdecimal() and 1 <= int(str(value)) <= 65_535


def _is_level(value: object) -> bool:
    return isinstance(value, str) and value in _LEVELS


def _is_format(value: object) -> bool:
    return value in ("text", "json")


def _is_connector(value: object) -> bool:
    return value in ("slurmcli", "slurmrest")


def _are_apps(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_app, value))


def _is_app(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() <= {"name", "token", "uuid"}
        and is_text(value.get("name"))
        and all(each is None or is_text(each) for each in value.values())
    )


_EXPECTED: Mapping[Check, str] = {
    is_text: "a text",
    is_flag: "true or false",
    _is_port: "a number from 1 to 65535",
    is_seconds: "a number of seconds",
    _is_level: f"one of {', '.join(_LEVELS)}",
    _is_format: "text or json",
    _is_connector: "slurmcli or slurmrest",
    _are_apps: "a list of apps, each with name, token and uuid",
}


def _places(reader: Sections) -> Mapping[str, str]:
    """What the gateway remembers lies beside the jobs, where others never come in."""
    working = reader.text("slurmer.working_dir", ".")
    return {
        "GATEWAY_APPS_DIR": working,
        "GATEWAY_STATE_DIR": f"{working.rstrip('/')}/gateway",
        **_if_told("GATEWAY_APPS_TEMPLATES", reader.text("slurmer.templates_dir")),
    }


def _apps(reader: Sections) -> Mapping[str, str]:
    apps = reader.value("slurmer.applications", [], _are_apps)
    told = [{key: str(value or "") for key, value in app.items()} for app in apps]
    return {"GATEWAY_APPS": json.dumps(told)} if told else {}


def _logs(reader: Sections) -> Mapping[str, str]:
    return {
        "GATEWAY_LOG_FORMAT": str(reader.value("slurmer.logs.format", "text", _is_format)),
        "GATEWAY_LOG_LEVEL": _LEVELS[reader.value("slurmer.logs.level", "debug", _is_level)],
        **_if_told("GATEWAY_LOG_FILE", reader.text("slurmer.logs.output")),
    }


def _interval(reader: Sections) -> Mapping[str, str]:
    interval = reader.value("slurmer.poll_interval", 10, is_seconds)
    return {"GATEWAY_JOBS_AGE": f"{interval}s"}


def _issuer(reader: Sections) -> Mapping[str, str]:
    """Whoever the issuer signs in may do nothing by that alone; an app's token opens an app."""
    if not reader.value("oidc.enabled", False, is_flag):
        return {}
    return {
        "GATEWAY_SLURMER_OIDC": "true",
        "GATEWAY_OIDC_USERNAME_CLAIM": "sub",
        "GATEWAY_ROLES": "* may apps:use",
        **_if_told("GATEWAY_OIDC_ISSUER", reader.text("oidc.issuer")),
        **_if_told("GATEWAY_OIDC_AUDIENCE", reader.text("oidc.audience")),
    }


def _executor(reader: Sections) -> Mapping[str, str]:
    """The program that the file names is the way to the hand; without one it is sudo."""
    program = reader.text("slurmer.executor_path")
    if not program:
        return {"GATEWAY_EXECUTOR": "sudo"}
    return {"GATEWAY_EXECUTOR": "setuid", "GATEWAY_SETUID_PROGRAM": program}


def _connector(reader: Sections) -> Mapping[str, str]:
    if not _asks_slurmrestd(reader):
        return {}
    url = reader.text("slurmrest.url")
    if not url:
        reader.mistakes.append("slurmrest.url: expected an address, for slurmer.connector")
        return {}
    address = url.partition("?socket=")[2] if url.startswith("http+unix:") else ""
    return {
        "GATEWAY_CONNECTOR": "slurmrestd",
        "GATEWAY_SLURMRESTD_URL": f"unix:{address}" if address else url,
    }


def _asks_slurmrestd(reader: Sections) -> bool:
    return bool(reader.value("slurmer.connector", "slurmcli", _is_connector) == "slurmrest")


def _if_told(name: str, value: str) -> Mapping[str, str]:
    return {name: value} if value else {}


def _address(reader: Sections) -> str:
    host = reader.text("slurmer.ip", _HOST)
    port = reader.value("slurmer.port", _PORT, _is_port)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _not_honoured(reader: Sections) -> Iterator[NotHonoured]:
    if reader.text("slurmrest.url") and not _asks_slurmrestd(reader):
        yield NotHonoured("slurmrest.url", "slurmer.connector is not slurmrest, so it is not asked")
    if reader.value("slurmer.logs.stdout", True, is_flag) is False:
        yield NotHonoured(
            "slurmer.logs.stdout",
            "the log goes to standard error as well, where systemd takes it",
        )
    for section, known in _KNOWN.items():
        for key in reader.keys(section):
            if key not in known:
                yield NotHonoured(f"{section}.{key}", "Slurmer has no such setting")
