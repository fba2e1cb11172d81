"""The composition root: settings to parts. Nothing here decides anything."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from uuid import uuid4

from waldur_slurm import __version__
from waldur_slurm.errors import SettingsError
from waldur_slurm.operator.config_map import SlurmConfig, read_config
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.companion import Means
from waldur_slurm.operator.jobs.cycle import ClusterCycle
from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.operator.jobs.site import NOWHERE, Site, Source
from waldur_slurm.operator.jobs.turning import Turning
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.access import Access, access_by_kubeconfig, access_in_pod
from waldur_slurm.operator.kube.client import Kept, KubeClient, utc_now
from waldur_slurm.operator.kube.lease import Lease
from waldur_slurm.operator.kube.pods import KubePods
from waldur_slurm.operator.kube.store import NEVER, Known, Store, slurm_jobs
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.model.cluster import ByGateway, BySsh, Cluster
from waldur_slurm.operator.model.order import TRUST
from waldur_slurm.operator.nodes.cycle import ResourceDaemon, Where
from waldur_slurm.operator.settings import Settings
from waldur_slurm.operator.watch.pages import Watch
from waldur_slurm.operator.ways.accounts import Account, transport_to
from waldur_slurm.operator.ways.direct_jobs import DirectJobs
from waldur_slurm.operator.ways.gateway_jobs import GatewayJobs, gateway_at
from waldur_slurm.operator.ways.ssh_doors import Opened, SshDoors
from waldur_slurm.service.display import Display
from waldur_slurm.service.notify import Notifier
from waldur_slurm.telemetry.events import Level, Sink, to_all
from waldur_slurm.telemetry.log import is_journal_stream, start_log
from waldur_slurm.telemetry.redaction import redaction
from waldur_slurm.variables.choices import LogFormat

AT_ONCE = 4
"""So many jobs are handed in to a gateway at once."""


class Parts:
    """The parts of a command, each made when it is first asked for."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self._environ = environ

    @cached_property
    def tell(self) -> Sink:
        told = self.settings
        log = start_log(
            sys.stderr,
            Level[told.log_level.name],
            redaction([]),
            is_json=told.log_format is LogFormat.JSON,
            is_journal=is_journal_stream(self._environ.get("JOURNAL_STREAM", ""), sys.stderr),
        )
        return to_all(log, self.watch) if self.watch else log

    @cached_property
    def watch(self) -> Watch | None:
        """What shows health and metrics, where the settings say so."""
        if self.settings.http_listen is None:
            return None
        return Watch(__version__, lambda: self.notifier.quiet_for)

    def watched(self) -> AbstractContextManager[object]:
        if not (self.watch and self.settings.http_listen):
            return nullcontext()
        return self.watch.serving(*self.settings.http_listen, self.tell)

    @cached_property
    def display(self) -> Display:
        return Display(sys.stdout, redaction([]))

    @cached_property
    def notifier(self) -> Notifier:
        microseconds = self._environ.get("WATCHDOG_USEC", "")
        watchdog = timedelta(microseconds=int(microseconds)) if microseconds.isdecimal() else None
        return Notifier(self._environ.get("NOTIFY_SOCKET", ""), watchdog)

    @cached_property
    def access(self) -> Access:
        told = self.settings
        if told.kubeconfig:
            return access_by_kubeconfig(told.kubeconfig)
        try:
            return access_in_pod(str(told.api_host), str(told.api_port))
        except OSError as error:
            raise SettingsError([f"this pod's account cannot be read: {error}"]) from error

    def talk(self) -> Talk:
        """Make a connection, for one thread."""
        return Talk(self.access)

    def kube(self) -> KubeClient:
        return KubeClient(self.talk(), kept=Kept(self.settings.namespace))

    def lease(self) -> Lease | None:
        told = self.settings
        if told.lease is None:
            return None
        me = f"{os.uname().nodename}_{uuid4()}"
        return Lease(self.talk(), told.namespace, told.lease, me, self.tell, time.monotonic)

    def resource_daemon(self) -> ResourceDaemon:
        where = Where(self.settings.namespace, self.settings.config_map)
        return ResourceDaemon(self.kube(), where, self.tell)

    def operator(self) -> "Operator":
        return Operator(self)

    def read_config(self) -> tuple[SlurmConfig, Mapping[str, str]]:
        """Return what the ConfigMap says, and the ConfigMap itself."""
        told = self.settings
        found = self.kube().read_config_map(told.namespace, told.config_map)
        return read_config(found), found

    def list_slurm_jobs(self) -> Snapshot:
        found, _ = self.talk().list(paths.JOBS)
        known = Known({each["metadata"]["uid"]: each for each in found}, timedelta())
        return slurm_jobs(known, self.tell)

    def way_to(self, cluster: Cluster) -> GatewayJobs | SshDoors:
        match cluster.by:
            case ByGateway(url, token):
                file = self.settings.secrets_dir / token / "token" if token else None
                return GatewayJobs(gateway_at(url), file, trust_of(cluster.by, self.settings))
            case BySsh() as host:
                keys = str(self.settings.secrets_dir / host.known_hosts)
                known = replace(host, known_hosts=keys)
                return SshDoors(self.kube().read_secret, partial(_open_account, known))


def _open_account(host: BySsh, account: Account) -> Opened:
    transport = transport_to(host, account)
    return Opened(DirectJobs(transport, account.user), transport.close)


class Operator:
    """The parts of a run, made one by one where each thread needs its own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._kubernetes = parts.kube().read_cluster_id()
        source = Source(parts.settings.namespace, parts.settings.config_map)
        self.site = Site(parts.kube(), source, self.turning, parts.tell)
        self.store = Store(parts.talk(), paths.JOBS, self.site.wake, parts.tell)
        if parts.watch:
            parts.watch.look_at(self._known, self.site.clusters)

    def _known(self) -> Snapshot | None:
        """Return what is known of SlurmJobs; nothing before all were listed once."""
        known = self.store.read()
        return None if known.age == NEVER else slurm_jobs(known, self._parts.tell)

    def turning(self, cluster: Cluster | None) -> Turning:
        """Make the turns of a cluster, on connections of their own."""
        way = self._parts.way_to(cluster) if cluster else None
        cycle = self.cycle(cluster, way, self.site.clusters)
        more = self._more(cluster) if cluster and isinstance(cluster.by, ByGateway) else []
        cycle.more = [(self._parts.kube(), each) for each in more]

        def close() -> None:
            for each in (way, *more) if way else ():
                each.close()

        turning = Turning(
            cycle.name,
            cycle.turn,
            close,
            self._parts.tell,
            self._settings.tick.total_seconds(),
        )
        cycle.is_stopping = lambda: turning.is_leaving
        return turning

    def _more(self, cluster: Cluster) -> list[GatewayJobs | SshDoors]:
        return [self._parts.way_to(cluster) for _ in range(AT_ONCE - 1)]

    def cycle_of(self, cluster: Cluster | None, clusters: Mapping[str, Cluster]) -> ClusterCycle:
        """Make the cycle of a cluster, of none where it is given None, for one look."""
        way = self._parts.way_to(cluster) if cluster else None
        return self.cycle(cluster, way, lambda: clusters)

    def cycle(
        self,
        cluster: Cluster | None,
        way: GatewayJobs | SshDoors | None,
        clusters: Callable[[], Mapping[str, Cluster]],
    ) -> ClusterCycle:
        made = ClusterCycle(
            name=cluster.name if cluster else NOWHERE,
            kubernetes=self._kubernetes,
            jobs=way,
            kube=self._parts.kube(),
            read=lambda: slurm_jobs(self.store.read(), self._parts.tell),
            clusters=clusters,
            tell=self._parts.tell,
            now=utc_now,
            collector=self._collector(cluster),
        )
        if isinstance(way, SshDoors):
            made.admit = way.admit
        return made

    def _collector(self, cluster: Cluster | None) -> Collector | None:
        if cluster is None or not isinstance(cluster.by, ByGateway):
            return None
        means = partial(means_of, cluster.by, self._settings)
        return Collector(KubePods(self._parts.talk()), cluster.name, means, utc_now)


def means_of(by: ByGateway, settings: Settings) -> Means:
    """Return what its companions are made with, as it is now."""
    file = trust_of(by, settings)
    trust = file.read_text(encoding="utf-8", errors="replace") if file and file.exists() else ""
    return Means(settings.image, by.url, trust)


def trust_of(by: ByGateway, settings: Settings) -> Path | None:
    """Return the file that has the certificates to trust, if there is one: it may come and go."""
    return settings.secrets_dir / by.token / TRUST if by.token else None
