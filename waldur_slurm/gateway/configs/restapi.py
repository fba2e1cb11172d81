"""The second original's `config.yml`, read as it is. Pure.

Every key has an effect, or is named with the reason why it has none. What the file does not say is
what the original took for it, so a site that changes over shows neither more nor less than before.
"""

from collections.abc import Iterator, Mapping

from waldur_slurm.gateway.configs.sections import Check, Sections, is_flag, is_seconds, is_text
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
    reader = Sections(document, SECTIONS, _EXPECTED)
    variables = {
        **{name: _flag(reader, f"system.{key}") for key, name in _FLAGS.items()},
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


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65_535


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


_EXPECTED: Mapping[Check, str] = {
    is_flag: "True or False",
    _is_port: "a number from 1 to 65535",
    is_seconds: "a number of seconds",
    is_text: "a text",
    _are_names: "a list of names",
}


def _flag(reader: Sections, name: str) -> str:
    return "true" if reader.value(name, False, is_flag) else "false"


def _wait(reader: Sections) -> Mapping[str, str]:
    wait = reader.value("system.archive_wait_time", 60, is_seconds)
    return {"GATEWAY_LOAD_WAIT": f"{wait}s"}


def _hidden(reader: Sections) -> Mapping[str, str]:
    names = reader.value("filter.partitions", [], _are_names)
    return {"GATEWAY_HIDDEN_PARTITIONS": ",".join(map(str, names))} if names else {}


def _database(reader: Sections) -> Mapping[str, str]:
    """Where none is given, the accounting is asked by sacct."""
    if not any(reader.has(f"database.{key}") for key in _DATABASE):
        return {}
    if not reader.value("system.use_acct_db", False, is_flag):
        return {}
    told = {
        key: _quoted(str(reader.value(f"database.{key}", default, is_text)))
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


def _host(reader: Sections) -> str:
    return str(reader.value("database.db_host", _DATABASE["db_host"], is_text))


def _address(reader: Sections) -> str:
    host = str(reader.value("system.host", _HOST, is_text))
    port = reader.value("system.port", _PORT, _is_port)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _not_honoured(reader: Sections) -> Iterator[NotHonoured]:
    if reader.value("system.debug", False, is_flag):
        yield NotHonoured(
            "system.debug",
            "it opens a debugger to whoever asks; GATEWAY_LOG_LEVEL=debug tells more",
        )
    if reader.has("system.archive_path"):
        path = reader.value("system.archive_path", "db.json", is_text)
        yield NotHonoured(
            "system.archive_path",
            "samples are kept in GATEWAY_STATE_DIR; take those of the file over once by"
            f" `slurm-gateway import restapi {path}`",
        )
    if any(reader.has(f"database.{key}") for key in _DATABASE) and (
        _flag(reader, "system.use_acct_db") == "false"
    ):
        yield NotHonoured("database", "system.use_acct_db is not True, so it is not asked")
    for section, known in _KNOWN.items():
        for key in reader.keys(section):
            if key not in known:
                yield NotHonoured(f"{section}.{key}", "Slurm RestAPI has no such setting")
