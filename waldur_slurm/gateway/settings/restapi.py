"""What only the second original's surface, and the archive of the load, are told."""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from waldur_slurm.variables.readers import duration, flag, listing, whole
from waldur_slurm.variables.variable import Secret, variable


def partition(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text, re.ASCII):
        return text
    raise ValueError("names of partitions, separated by commas")


def mysql(text: str) -> Secret:
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme == "mysql" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or len(parts.path) < 2:
        raise ValueError("an address such as mysql://reader:PASSWORD@db.example.org/slurm_acct_db")
    return Secret(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestApiSettings:
    """Typed and checked."""

    is_open_to_pages: bool = variable(
        "GATEWAY_RESTAPI_CORS",
        flag,
        "whether pages of any site may read Slurm RestAPI's routes, as `use_cors` let them; those"
        " of `GATEWAY_CORS_ORIGINS` may anyway",
        "false",
    )
    has_accounting: bool = variable(
        "GATEWAY_RESTAPI_ACCOUNTING", flag, "whether `/users` and `/history` are there", "true"
    )
    has_index: bool = variable(
        "GATEWAY_RESTAPI_INDEX",
        flag,
        "whether `/` is a page that tries Slurm RestAPI's routes",
        "false",
    )
    reach: timedelta = variable(
        "GATEWAY_RESTAPI_REACH",
        duration(timedelta(days=1)),
        "how far back `/history` looks for jobs by sacct",
        "365d",
    )
    hidden: frozenset[str] = variable(
        "GATEWAY_HIDDEN_PARTITIONS",
        listing(partition),
        "partitions that `/partitions`, `/usage` and `/load` leave out",
        "",
    )
    hides_everywhere: bool = variable(
        "GATEWAY_HIDDEN_EVERYWHERE",
        flag,
        "whether `/queue`, `/history` and `/nodes` leave them out too",
        "false",
    )
    database: Secret | None = variable(
        "GATEWAY_ACCOUNTING_DATABASE",
        mysql,
        "the database of slurmdbd, where `/users` and `/history` are to read it themselves:"
        " `mysql://USER:PASSWORD@HOST/NAME`; `?assoc=TABLE&job=TABLE` names other tables",
        is_secret=True,
        unset_means="asked by `sacct` and `sacctmgr`",
    )
    has_archive: bool = variable(
        "GATEWAY_LOAD_ARCHIVE", flag, "whether the load is sampled and kept, for `/load`", "true"
    )
    wait: timedelta = variable(
        "GATEWAY_LOAD_WAIT", duration(timedelta(seconds=1)), "the time between two samples", "60s"
    )
    days: int = variable(
        "GATEWAY_LOAD_DAYS",
        whole(1, 36_500),
        "for how many days samples are kept; older than two days they are thinned",
        "365",
    )
