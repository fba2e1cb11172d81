"""The composition root: settings to parts. Nothing here decides anything."""

import sys
from collections.abc import Mapping

from waldur_slurm.errors import SettingsError
from waldur_slurm.operator.kube.access import Access, access_by_kubeconfig, access_in_pod
from waldur_slurm.operator.kube.client import KubeClient
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.nodes.cycle import ResourceDaemon, Where
from waldur_slurm.operator.settings import Settings
from waldur_slurm.telemetry.events import Level, Sink
from waldur_slurm.telemetry.log import is_journal_stream, start_log
from waldur_slurm.telemetry.redaction import redaction
from waldur_slurm.variables.choices import LogFormat


def log_of(settings: Settings, environ: Mapping[str, str]) -> Sink:
    return start_log(
        sys.stderr,
        Level[settings.log_level.name],
        redaction([]),
        is_json=settings.log_format is LogFormat.JSON,
        is_journal=is_journal_stream(environ.get("JOURNAL_STREAM", ""), sys.stderr),
    )


def resource_daemon(settings: Settings, tell: Sink) -> ResourceDaemon:
    where = Where(settings.namespace, settings.config_map)
    return ResourceDaemon(KubeClient(Talk(_access(settings))), where, tell)


def _access(settings: Settings) -> Access:
    if settings.kubeconfig:
        return access_by_kubeconfig(settings.kubeconfig)
    try:
        return access_in_pod(str(settings.api_host), str(settings.api_port))
    except OSError as error:
        raise SettingsError([f"this pod's account cannot be read: {error}"]) from error
