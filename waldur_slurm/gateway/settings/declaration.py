"""The gateway's variables, declared once: read, shown and documented from here.

Settings stop at the composition root; everything below it takes plain arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from waldur_slurm.gateway.doors.scopes import Scope, scope
from waldur_slurm.gateway.settings.agreement import mistakes_across
from waldur_slurm.gateway.settings.readers import (
    ClusterSource,
    Listener,
    cluster_source,
    listener,
    several,
)
from waldur_slurm.gateway.settings.restapi import RestApiSettings
from waldur_slurm.variables.choices import LogFormat, LogLevel
from waldur_slurm.variables.declared import declared_by, read_declared, secrets_of, values_of
from waldur_slurm.variables.places import path, sentry_dsn
from waldur_slurm.variables.readers import duration, flag, listing, one_of
from waldur_slurm.variables.spelling import spelled
from waldur_slurm.variables.variable import Secret, Variable, group, variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the gateway was told, already typed and checked."""

    # Listening
    listen: tuple[Listener, ...] = variable(
        "GATEWAY_LISTEN",
        several(listener),
        "where it listens: addresses separated by commas; `127.0.0.1:5000=restapi` serves a part"
        " there: `native`, `restapi`, `slurmer`, `proxy`, `watch`, several joined by `+`",
        "127.0.0.1:8040",
    )
    tls_certificate: Path | None = variable(
        "GATEWAY_TLS_CERTIFICATE", path, "the certificate, with its chain, in a PEM file"
    )
    tls_key: Path | None = variable(
        "GATEWAY_TLS_KEY",
        path,
        "the certificate's key",
        unset_means="in the file of the certificate",
    )
    plain_http: bool = variable(
        "GATEWAY_PLAIN_HTTP",
        flag,
        "whether addresses that are not loopback may be served without TLS, as inside a network"
        " where nobody listens",
        "false",
    )

    # Slurm
    clusters: tuple[ClusterSource, ...] = variable(
        "GATEWAY_CLUSTERS",
        several(cluster_source),
        "the clusters it shows, the default one first: names, or `name=/path/slurm.conf` for one"
        " with a configuration of its own",
        unset_means="the one that `slurm.conf` names",
    )
    bin_path: Path | None = variable(
        "SLURM_BIN_PATH", path, "the folder of Slurm's commands", unset_means="found by `PATH`"
    )
    jobs_age: timedelta = variable(
        "GATEWAY_JOBS_AGE",
        duration(timedelta(seconds=1)),
        "how old the list of jobs may be that is shown; it is older where Slurm takes long to tell",
        "5s",
    )

    # Who may do what
    anonymous_scopes: frozenset[Scope] = variable(
        "GATEWAY_ANONYMOUS_SCOPES",
        listing(scope),
        "what anybody may do without a token, such as `cluster:read`; behind a proxy anybody is"
        " everybody",
        "",
    )

    restapi: RestApiSettings = group(RestApiSettings)

    # The gateway itself
    state_dir: Path = variable(
        "GATEWAY_STATE_DIR",
        path,
        "what the gateway remembers; worth a backup",
        "/var/lib/slurm-gateway",
    )
    log_format: LogFormat = variable(
        "GATEWAY_LOG_FORMAT", one_of(LogFormat), "`text` or `json`", "text"
    )
    log_level: LogLevel = variable(
        "GATEWAY_LOG_LEVEL",
        one_of(LogLevel),
        "`debug` (each command and request), `info`, `warning` or `error`",
        "info",
    )
    sentry_dsn: Secret | None = variable(
        "SENTRY_DSN", sentry_dsn, "where errors are reported to Sentry", is_secret=True
    )
    sentry_environment: str = variable(
        "SENTRY_ENVIRONMENT", str, "the environment that Sentry shows", "production"
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read every variable, then report every mistake at once."""
        return read_declared(cls, environ, mistakes_across)

    @classmethod
    def variables(cls) -> Iterator[Variable]:
        """Everything that can be set, in the order of the reference."""
        return declared_by(cls)

    def secrets(self) -> Iterator[str]:
        """Everything that must never be printed."""
        return secrets_of(self)

    def shown(self) -> Iterator[tuple[str, str]]:
        """Each variable with what the gateway made of it; a secret only says that it is there."""
        for declared, value in values_of(self):
            yield declared.name, spelled(value)
