"""The second original's `config.yml`, read as it is. Pure.

Every key has an effect, or is named with the reason why it has none. What the file does not say is
what the original took for it, so a site that changes over shows neither more nor less than before.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from waldur_slurm.gateway.configs.told import Document, NotHonoured, Told

SECTIONS = frozenset({"system", "database", "filter"})

_FLAGS = {
    "use_acct_db": "GATEWAY_RESTAPI_ACCOUNTING",
    "use_cors": "GATEWAY_RESTAPI_CORS",
    "serve_index": "GATEWAY_RESTAPI_INDEX",
    "archive_usage_load": "GATEWAY_LOAD_ARCHIVE",
}
_HOST, _PORT = "127.0.0.1", 5000
"""Where the original's document says that it is found."""

_DATABASE = {
    "db_host": "slurm.server.com",
    "db_user": "username",
    "db_pass": "password",
    "db_name": "acct_database",
    "table_assoc": "slurm_assoc_table",
    "table_job": "slurm_job_table",
}
"""What the original took for a key that is missing."""

_SYSTEM = {*_FLAGS, "debug", "host", "port", "archive_wait_time", "archive_path"}
_KNOWN = {"system": _SYSTEM, "database": {*_DATABASE}, "filter": {"partitions"}}


def is_of_restapi(document: Document) -> bool:
    """Whether a file with these sections is one of Slurm RestAPI's."""
    return bool(document) and document.keys() <= SECTIONS


def read_restapi(document: Document) -> Told:
    reader = _Reader(document)
    variables = {
        **{name: reader.flag("system", key) for key, name in _FLAGS.items()},
        **_wait(reader),
        **_database(reader),
        **_hidden(reader),
    }
    return Told(
        variables=variables,
        listens=(f"{_address(reader)}=restapi",),
        not_honoured=tuple(_not_honoured(reader)),
        mistakes=tuple(reader.mistakes),
    )


class _Reader:
    """Takes values out of sections, and gathers what is wrong with them; shows no value."""

    def __init__(self, document: Document) -> None:
        self.mistakes: list[str] = []
        self._sections = {name: self._section(name, document.get(name)) for name in SECTIONS}

    def _section(self, name: str, value: object) -> Mapping[str, Any]:
        """Read one; all of its lines may be comments."""
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return value
        self.mistakes.append(f"{name}: expected keys with values below it")
        return {}

    def keys(self, section: str) -> Iterator[str]:
        yield from map(str, self._sections[section])

    def has(self, section: str, key: str) -> bool:
        return self._sections[section].get(key) is not None

    def value(self, section: str, key: str, default: Any, is_good: Callable[[Any], bool]) -> Any:
        found = self._sections[section].get(key)
        if found is None:
            return default
        if is_good(found):
            return found
        self.mistakes.append(f"{section}.{key}: expected {_EXPECTED[is_good]}")
        return default

    def flag(self, section: str, key: str) -> str:
        return "true" if self.value(section, key, False, _is_flag) else "false"


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65_535


def _is_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_text(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_EXPECTED: Mapping[Callable[[Any], bool], str] = {
    _is_flag: "True or False",
    _is_port: "a number from 1 to 65535",
    _is_seconds: "a number of seconds",
    _is_text: "a text",
    _are_names: "a list of names",
}


def _wait(reader: _Reader) -> Mapping[str, str]:
    wait = reader.value("system", "archive_wait_time", 60, _is_seconds)
    return {"GATEWAY_LOAD_WAIT": f"{wait}s"}


def _hidden(reader: _Reader) -> Mapping[str, str]:
    names = reader.value("filter", "partitions", [], _are_names)
    return {"GATEWAY_HIDDEN_PARTITIONS": ",".join(map(str, names))} if names else {}


def _database(reader: _Reader) -> Mapping[str, str]:
    """Where none is given, the accounting is asked by sacct."""
    if not any(reader.has("database", key) for key in _DATABASE):
        return {}
    if not reader.value("system", "use_acct_db", False, _is_flag):
        return {}
    told = {
        key: _quoted(str(reader.value("database", key, default, _is_text)))
        for key, default in _DATABASE.items()
    }
    return {
        "GATEWAY_ACCOUNTING_DATABASE": (
            f"mysql://{told['db_user']}:{told['db_pass']}@{_host(reader)}/{told['db_name']}"
            f"?assoc={told['table_assoc']}&job={told['table_job']}"
        )
    }


def _quoted(text: str) -> str:
    """Write it so that no letter means anything in an address."""
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02X}"
        for byte in text.encode()
    )


def _host(reader: _Reader) -> str:
    return str(reader.value("database", "db_host", _DATABASE["db_host"], _is_text))


def _address(reader: _Reader) -> str:
    host = str(reader.value("system", "host", _HOST, _is_text))
    port = reader.value("system", "port", _PORT, _is_port)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _not_honoured(reader: _Reader) -> Iterator[NotHonoured]:
    if reader.value("system", "debug", False, _is_flag):
        yield NotHonoured(
            "system.debug",
            "it opens a debugger to whoever asks; GATEWAY_LOG_LEVEL=debug tells more",
        )
    if reader.has("system", "archive_path"):
        path = reader.value("system", "archive_path", "db.json", _is_text)
        yield NotHonoured(
            "system.archive_path",
            "samples are kept in GATEWAY_STATE_DIR; take those of the file over once by"
            f" `slurm-gateway import restapi {path}`",
        )
    if any(reader.has("database", key) for key in _DATABASE) and (
        reader.flag("system", "use_acct_db") == "false"
    ):
        yield NotHonoured("database", "system.use_acct_db is not True, so it is not asked")
    for section, known in _KNOWN.items():
        for key in reader.keys(section):
            if key not in known:
                yield NotHonoured(f"{section}.{key}", "Slurm RestAPI has no such setting")
