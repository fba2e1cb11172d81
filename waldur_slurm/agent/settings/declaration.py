"""The variables themselves, declared once: read, shown and documented from here.

Settings stop at the composition root; everything below it takes plain arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.agent.push.plan.policy import PushPolicy
from waldur_slurm.agent.settings.agreement import mistakes_across
from waldur_slurm.agent.settings.choices import STATE, Deployment, Direction
from waldur_slurm.agent.settings.readers import container, uuid
from waldur_slurm.model.names import ClusterName, UserName, cluster_name, user_name
from waldur_slurm.variables.choices import LogFormat, LogLevel
from waldur_slurm.variables.declared import declared_by, read_declared, secrets_of, values_of
from waldur_slurm.variables.places import Address, address, base_url, path, sentry_dsn
from waldur_slurm.variables.readers import duration, flag, named, one_of, token
from waldur_slurm.variables.spelling import spelled
from waldur_slurm.variables.variable import Secret, Variable, group, variable

_INTERVALS = {Direction.PULL: timedelta(seconds=60), Direction.PUSH: timedelta(hours=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the process was told, already typed and checked."""

    # Waldur
    api_url: str = variable(
        "WALDUR_API_URL", base_url, "the address of Waldur's API", is_required=True
    )
    api_token: Secret = variable(
        "WALDUR_API_TOKEN",
        token,
        "the token of a service provider's account in Waldur",
        is_secret=True,
        unset_means="required, unless `WALDUR_API_TOKEN_FILE` is set",
    )
    api_token_file: Path | None = variable(
        "WALDUR_API_TOKEN_FILE", path, "a file that holds the token and nothing else"
    )
    direction: Direction = variable(
        "WALDUR_SYNC_DIRECTION",
        one_of(Direction),
        "`pull` (Waldur's orders and members into Slurm) or `push` (Slurm's usage to Waldur)",
        is_required=True,
    )
    offering_uuid: str = variable(
        "WALDUR_OFFERING_UUID", uuid, "the UUID of the offering in Waldur", is_required=True
    )
    own_interval: timedelta | None = variable(
        "WALDUR_SYNC_INTERVAL",
        duration(timedelta(seconds=1)),
        "the time from the start of one cycle to the next",
        unset_means="`60` for pull, `3600` for push",
    )
    verify_ssl: bool = variable(
        "REQUESTS_VERIFY_SSL", flag, "whether Waldur's TLS certificate must be valid", "true"
    )
    request_timeout: timedelta = variable(
        "REQUESTS_TIMEOUT",
        duration(timedelta(seconds=1)),
        "how long one request to Waldur may take",
        "15",
    )

    # Slurm
    tres_path: Path = variable(
        "SLURM_TRES_CONFIG_PATH",
        path,
        "the TRES configuration: what the offering sells",
        "./config-components.yaml",
    )
    deployment: Deployment = variable(
        "SLURM_DEPLOYMENT_TYPE",
        one_of(Deployment),
        "where Slurm's commands run: `docker` (in a container) or `native` (on this host)",
        "docker",
    )
    container_name: str = variable(
        "SLURM_CONTAINER_NAME",
        container,
        "the container of the head node, where `SLURM_DEPLOYMENT_TYPE` is `docker`",
        "slurmctld",
    )
    container_user: UserName | None = variable(
        "SLURM_CONTAINER_USER",
        named(user_name),
        "who runs Slurm's commands in the container: an Operator of Slurm is enough",
        unset_means="whoever the container is run as",
    )
    cluster: ClusterName | None = variable(
        "SLURM_CLUSTER_NAME",
        named(cluster_name),
        "the cluster, where one accounting database serves several",
        unset_means="the one that `slurm.conf` names",
    )
    bin_path: Path | None = variable(
        "SLURM_BIN_PATH", path, "the folder of Slurm's commands", unset_means="found by `PATH`"
    )

    # What each direction may and should do
    pull: PullPolicy = group(PullPolicy)
    push: PushPolicy = group(PushPolicy)

    # The agent itself
    own_state_dir: Path | None = variable(
        "AGENT_STATE_DIR",
        path,
        "what the agent remembers: `journal/` is worth a backup, `cache/` is not",
        unset_means="`/var/lib/waldur-slurm-agent/<offering>/<direction>`",
    )
    audit_log: Path | None = variable(
        "AGENT_AUDIT_LOG",
        path,
        "a file that gets one JSON line for each change in Slurm and in Waldur",
    )
    hook_dir: Path | None = variable(
        "AGENT_HOOK_DIR",
        path,
        "a directory with programs `account.added` and `user.added` that pull runs after a cycle"
        " that made some, with a JSON line for each on standard input",
    )
    log_format: LogFormat = variable(
        "AGENT_LOG_FORMAT", one_of(LogFormat), "`text` or `json`", "text"
    )
    log_level: LogLevel = variable(
        "AGENT_LOG_LEVEL",
        one_of(LogLevel),
        "`debug` (each command and request), `info` (changes), `warning` or `error`",
        "info",
    )
    http_listen: Address | None = variable(
        "AGENT_HTTP_LISTEN",
        address,
        "where `/metrics`, `/healthz` and `/readyz` are served, such as `127.0.0.1:9464`; they need"
        " no password, so keep them from strangers",
    )
    sentry_dsn: Secret | None = variable(
        "SENTRY_DSN", sentry_dsn, "where errors are reported to Sentry", is_secret=True
    )
    sentry_environment: str = variable(
        "SENTRY_ENVIRONMENT", str, "the environment that Sentry shows", "production"
    )

    @property
    def interval(self) -> timedelta:
        return self.own_interval or _INTERVALS[self.direction]

    @property
    def state_dir(self) -> Path:
        return self.own_state_dir or STATE / self.offering_uuid / self.direction

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
        """Each variable with what the agent made of it; a secret only says that it is there."""
        worked_out = {"WALDUR_SYNC_INTERVAL": self.interval, "AGENT_STATE_DIR": self.state_dir}
        for declared, value in values_of(self):
            yield declared.name, spelled(worked_out.get(declared.name, value))
