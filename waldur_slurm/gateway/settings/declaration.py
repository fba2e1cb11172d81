"""The gateway's variables, declared once: read, shown and documented from here.

Settings stop at the composition root; everything below it takes plain arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from waldur_slurm.gateway.doors.claims import Role
from waldur_slurm.gateway.doors.networks import Network, TrustedNetwork
from waldur_slurm.gateway.doors.scopes import Scope, scope
from waldur_slurm.gateway.settings.acting import ActingSettings
from waldur_slurm.gateway.settings.agreement import mistakes_across
from waldur_slurm.gateway.settings.grants import (
    Pattern,
    Sentences,
    host,
    issuer,
    network,
    origin,
    pattern,
    role,
    sentences,
    trusted_network,
)
from waldur_slurm.gateway.settings.letters import LetterSettings
from waldur_slurm.gateway.settings.monitors import MonitorSettings
from waldur_slurm.gateway.settings.pages import PageSettings
from waldur_slurm.gateway.settings.readers import (
    ClusterSource,
    Listener,
    cluster_source,
    listener,
    several,
)
from waldur_slurm.gateway.settings.restapi import RestApiSettings
from waldur_slurm.gateway.settings.slurmer import SlurmerSettings
from waldur_slurm.gateway.settings.tasks import TaskSettings
from waldur_slurm.variables.choices import LogFormat, LogLevel
from waldur_slurm.variables.declared import declared_by, read_declared, secrets_of, values_of
from waldur_slurm.variables.places import path, sentry_dsn
from waldur_slurm.variables.readers import duration, flag, listing, one_of, whole
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
        " there: `native`, `restapi`, `slurmer`, `proxy`, `pages`, `watch`, several joined by `+`",
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

    command_timeout: timedelta = variable(
        "GATEWAY_COMMAND_TIMEOUT",
        duration(timedelta(seconds=1)),
        "how long one of Slurm's commands may take; clients do not wait so long for a silent Slurm."
        " Slurm's commands give up by themselves after 10 to 100 s, by `MessageTimeout`",
        "60s",
    )

    # Who may do what
    anonymous_scopes: frozenset[Scope] = variable(
        "GATEWAY_ANONYMOUS_SCOPES",
        listing(scope),
        "what anybody may do without a token, such as `cluster:read`; behind a proxy anybody is"
        " everybody",
        "",
    )
    trusted_networks: Sentences[TrustedNetwork] = variable(
        "GATEWAY_TRUSTED_NETWORKS",
        sentences(trusted_network),
        "what clients without a token may do by the address they ask from:"
        " `10.1.0.0/16 may jobs:submit as ann,@physics; 127.0.0.1 may jobs:read`; a client of this"
        " machine acts as its own Unix user only",
        "",
    )
    trusted_proxies: tuple[Network, ...] = variable(
        "GATEWAY_TRUSTED_PROXIES",
        several(network),
        "proxies whose `X-Forwarded-For` is believed; one on this machine has to run as a system"
        " user",
        "",
    )
    hosts: frozenset[str] = variable(
        "GATEWAY_HOSTS",
        listing(host),
        "names that clients without a token may call it by, beside the addresses that it listens"
        " at; against pages of other sites that a browser is led to",
        "",
    )
    cors_origins: frozenset[str] = variable(
        "GATEWAY_CORS_ORIGINS",
        listing(origin),
        "sites whose pages may ask without a token, such as `https://portal.example.org`",
        "",
    )
    min_uid: int = variable(
        "GATEWAY_MIN_UID", whole(1, 2**32 - 2), "the lowest uid that anything is done as", "1000"
    )
    max_uid: int = variable(
        "GATEWAY_MAX_UID", whole(1, 2**32 - 2), "the highest uid that anything is done as", "65535"
    )
    pace_at_once: int = variable(
        "GATEWAY_PACE_AT_ONCE",
        whole(1, 1_000_000),
        "how many requests of one token, person or address are answered at once; then 429",
        "2000",
    )
    pace_a_second: int = variable(
        "GATEWAY_PACE_A_SECOND",
        whole(1, 1_000_000),
        "how many of them are answered a second for ever",
        "500",
    )
    oidc_issuer: str | None = variable(
        "GATEWAY_OIDC_ISSUER",
        issuer,
        "whose tokens of OpenID Connect are taken, exactly as they name it in `iss`",
        unset_means="no such tokens",
    )
    oidc_audience: str | None = variable(
        "GATEWAY_OIDC_AUDIENCE", str, "what `aud` of such a token must hold: this gateway's name"
    )
    oidc_username_claim: str = variable(
        "GATEWAY_OIDC_USERNAME_CLAIM",
        str,
        "the claim that says who it is; one that people cannot change themselves",
        "preferred_username",
    )
    oidc_username: Pattern | None = variable(
        "GATEWAY_OIDC_USERNAME",
        pattern,
        r"what the whole claim looks like; its first group is the Unix user's name, as in"
        r" `([a-z0-9]+)@example\.org`",
        unset_means="the claim is the name",
    )
    oidc_groups_claim: str = variable(
        "GATEWAY_OIDC_GROUPS_CLAIM", str, "the claim that lists groups", "groups"
    )
    roles: Sentences[Role] = variable(
        "GATEWAY_ROLES",
        sentences(role),
        "what members of the issuer's groups may do, each as himself and as whom it says:"
        " `* may jobs:read; hpc-admins may jobs:read:all jobs:control as any`",
        "",
    )

    pages: PageSettings = group(PageSettings)

    acting: ActingSettings = group(ActingSettings)

    restapi: RestApiSettings = group(RestApiSettings)

    slurmer: SlurmerSettings = group(SlurmerSettings)

    tasks: TaskSettings = group(TaskSettings)

    letters: LetterSettings = group(LetterSettings)

    monitors: MonitorSettings = group(MonitorSettings)

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
    log_file: Path | None = variable(
        "GATEWAY_LOG_FILE",
        path,
        "a file that the log is added to, too",
        unset_means="on standard error alone",
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
