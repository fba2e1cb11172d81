"""The composition root: settings to parts. Nothing here decides anything."""

import sys
from collections.abc import Mapping
from pathlib import Path

from waldur_slurm.errors import SettingsError
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.companion import Means
from waldur_slurm.operator.jobs.cycle import ClusterCycle
from waldur_slurm.operator.jobs.port import Jobs
from waldur_slurm.operator.jobs.site import Site, Source
from waldur_slurm.operator.jobs.turning import Turning
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.access import Access, access_by_kubeconfig, access_in_pod
from waldur_slurm.operator.kube.client import Kept, KubeClient, utc_now
from waldur_slurm.operator.kube.pods import KubePods
from waldur_slurm.operator.kube.store import Store, slurm_jobs
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.model.cluster import ByGateway, BySsh, Cluster
from waldur_slurm.operator.model.order import TRUST
from waldur_slurm.operator.nodes.cycle import ResourceDaemon, Where
from waldur_slurm.operator.settings import Settings
from waldur_slurm.operator.ways.gateway_jobs import GatewayJobs, gateway_at
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


def operator(settings: Settings, tell: Sink) -> "Operator":
    return Operator(settings, _access(settings), tell)


class Operator:
    """The parts of a run, made one by one where each thread needs its own."""

    def __init__(self, settings: Settings, access: Access, tell: Sink) -> None:
        self._settings = settings
        self._access = access
        self._tell = tell
        self._kubernetes = self.kube().read_cluster_id()
        source = Source(settings.namespace, settings.config_map)
        self.site = Site(self.kube(), source, self.turning, tell)
        self.store = Store(Talk(access), paths.JOBS, self.site.wake, tell)

    def kube(self) -> KubeClient:
        return KubeClient(Talk(self._access), kept=Kept(self._settings.namespace))

    def turning(self, cluster: Cluster | None) -> Turning:
        """Make the turns of a cluster, on connections of their own."""
        jobs = way_to(cluster, self._settings) if cluster else None
        cycle = self.cycle(cluster.name if cluster else "", jobs)
        turning = Turning(
            cycle.name,
            cycle.turn,
            jobs.close if jobs else lambda: None,
            self._tell,
            self._settings.tick.total_seconds(),
        )
        cycle.is_stopping = lambda: turning.is_leaving
        return turning

    def cycle(self, name: str, jobs: Jobs | None) -> ClusterCycle:
        return ClusterCycle(
            name=name,
            kubernetes=self._kubernetes,
            jobs=jobs,
            kube=self.kube(),
            read=lambda: slurm_jobs(self.store.read(), self._tell),
            clusters=self.site.clusters,
            tell=self._tell,
            now=utc_now,
            collector=self._collector(name),
        )

    def _collector(self, name: str) -> Collector | None:
        cluster = self.site.clusters().get(name)
        if cluster is None or not isinstance(cluster.by, ByGateway):
            return None
        by, image = cluster.by, self._settings.image
        trust = trust_of(by, self._settings)

        def means() -> Means:
            return Means(image, by.url, trust.read_text(encoding="ascii") if trust else "")

        return Collector(KubePods(Talk(self._access)), name, means, utc_now)


def way_to(cluster: Cluster, settings: Settings) -> GatewayJobs:
    match cluster.by:
        case ByGateway(url, token):
            file = settings.secrets_dir / token / "token" if token else None
            trust = trust_of(cluster.by, settings)
            return GatewayJobs(gateway_at(url, verify=str(trust) if trust else True), file)
        case BySsh():
            raise SettingsError([f"cluster {cluster.name}: ssh is not there yet"])


def trust_of(by: ByGateway, settings: Settings) -> Path | None:
    """Return the file with the certificates to trust, where they lie beside the token."""
    file = settings.secrets_dir / by.token / TRUST
    return file if by.token and file.exists() else None


def _access(settings: Settings) -> Access:
    if settings.kubeconfig:
        return access_by_kubeconfig(settings.kubeconfig)
    try:
        return access_in_pod(str(settings.api_host), str(settings.api_port))
    except OSError as error:
        raise SettingsError([f"this pod's account cannot be read: {error}"]) from error
