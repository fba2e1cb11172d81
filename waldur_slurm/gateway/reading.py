"""Builds what reads Slurm, here or over ssh, as the settings say. Nothing here decides anything."""

import os
import pwd
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.means import Builder
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.recorder import Recorder
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.readers import ClusterSource
from waldur_slurm.gateway.web.questions import go_on
from waldur_slurm.model.names import ClusterName, cluster_name
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.live.client import ClusterClient
from waldur_slurm.slurm.past.client import HistoryClient
from waldur_slurm.slurm.transports.observed import ObservedTransport
from waldur_slurm.slurm.transports.ssh import SshTransport
from waldur_slurm.slurm.transports.ssh_master import KeyFile, KnownHosts
from waldur_slurm.slurm.transports.told import ToldTransport
from waldur_slurm.telemetry.events import Event, Level, Sink


class Readers:
    def __init__(self, settings: Settings, environ: Mapping[str, str], tell: Sink) -> None:
        self._settings = settings
        self._environ = environ
        self._tell = tell
        self._bin_path = str(settings.bin_path or "")
        self._slurm_conf = Path(environ.get("SLURM_CONF", "/etc/slurm/slurm.conf"))

    def clusters(self, recorder: Recorder, means: Builder) -> Iterator[ClusterPictures]:
        """Build each cluster's, the default one's first."""
        timeout = self._settings.command_timeout
        sources = self._settings.clusters or (ClusterSource(self.default_cluster),)
        for number, source in enumerate(sources):
            is_elsewhere = number > 0 and not source.slurm_conf
            transport = self.transport(source)
            cluster = ClusterClient(
                transport,
                away=source.name if is_elsewhere else None,
                bin_path=self._bin_path,
                timeout=timeout,
            )
            yield ClusterPictures(
                source.name,
                cluster,
                HistoryClient(transport, source.name, bin_path=self._bin_path, timeout=timeout),
                self._tell,
                jobs_ttl_s=self._settings.jobs_age.total_seconds(),
                on_jobs=partial(recorder.record, source.name),
                list_jobs=None if number else means.lister(self.user, cluster.read_jobs),
            )

    def transport(self, source: ClusterSource | None = None) -> Transport:
        own = {"SLURM_CONF": source.slurm_conf} if source and source.slurm_conf else {}
        return ObservedTransport(self._runs(own), go_on, self._note_command)

    def _runs(self, own: Mapping[str, str]) -> Transport:
        if self._far is None:
            return NativeTransport({**self._environ, **own})
        named = {name: value for name, value in self._environ.items() if name == "SLURM_CONF"}
        return ToldTransport(self._far, {**named, **own})

    @cached_property
    def _far(self) -> SshTransport | None:
        """The one connection that all readings share, and wait for each other where it is full."""
        if not self._settings.acting.reads_elsewhere:
            return None
        login = self._settings.acting.login
        return SshTransport(
            login.host,
            user=login.user,
            port=login.port,
            host_keys=KnownHosts(login.known_hosts),
            key=KeyFile(login.key),
            timeout=self._settings.command_timeout,
        )

    def close(self) -> None:
        """End what stands to another host."""
        if self._far is not None:
            self._far.close()

    @property
    def user(self) -> str:
        """Whom Slurm is read as."""
        acting = self._settings.acting
        return acting.login.user if acting.reads_elsewhere else own_user()

    def way(self) -> str:
        """Say by which way Slurm is read, having tried it; raises where it leads nowhere."""
        if self._far is None:
            return "by Slurm's commands on this host"
        self._far.run(("true",))
        login = self._settings.acting.login
        return f"over ssh, as {login.user} on {login.host}"

    def _note_command(self, argv: tuple[str, ...], code: int | None, seconds: float) -> None:
        fields = {"command": " ".join(argv), "code": code, "seconds": round(seconds, 3)}
        self._tell(Event(name="slurm.command", level=Level.DEBUG, fields=fields))

    @property
    def slurm_user(self) -> str:
        return self.told_slurm_user() or "slurm"

    def told_slurm_user(self) -> str | None:
        """Return what slurm.conf says; None where it does not, or cannot be read."""
        return _word_in(self._slurm_conf, "slurmuser")

    @cached_property
    def default_cluster(self) -> ClusterName:
        """Find the name in slurm.conf, which serves while Slurm is away too; else ask for it."""
        if self._settings.clusters:
            return self._settings.clusters[0].name
        is_here = self._far is None
        named = _word_in(self._slurm_conf, "clustername") if is_here else None
        if named is None:
            client = ClusterClient(
                self.transport(), bin_path=self._bin_path, timeout=self._settings.command_timeout
            )
            named = client.read_configuration().get("ClusterName")
        if not named:
            place = str(self._slurm_conf) if is_here else "Slurm over ssh"
            raise SettingsError([f"GATEWAY_CLUSTERS is not set, and {place} names no cluster"])
        return cluster_name(named)


def own_user() -> str:
    """As Slurm knows the gateway."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _word_in(conf: Path, wanted: str) -> str | None:
    """Find what slurm.conf says of one thing; None where it does not, or cannot be read."""
    try:
        lines = conf.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition("#")[0].partition("=")
        if name.strip().lower() == wanted:
            return value.strip().strip('"')
    return None
