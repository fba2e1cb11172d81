"""What acts as users, built from the settings: the hand, and slurmrestd where a site wants it."""

import pwd
from collections.abc import Callable
from datetime import UTC, datetime

from waldur_slurm.gateway.acting.actors import Means, MeansOf
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.acting import ActingSettings, Connector, Executor
from waldur_slurm.model.live import JobListing
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.batch.client import SlurmBatch
from waldur_slurm.slurm.rest.batch import RestBatch
from waldur_slurm.slurm.rest.listing import RestListing
from waldur_slurm.slurm.rest.logins import Logins, Run
from waldur_slurm.slurm.rest.talk import Rest
from waldur_slurm.slurm.tools import Tools
from waldur_slurm.slurm.transports.hands import Hand, OwnHand, SetuidHand, SocketHand, SudoHand
from waldur_slurm.slurm.transports.on_behalf import OnBehalf
from waldur_slurm.slurm.transports.ssh_hand import SshHand
from waldur_slurm.slurm.transports.ssh_master import KeyFile, KnownHosts


class Builder:
    """`transport` runs Slurm's commands as the gateway itself."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._timeout = settings.command_timeout
        self._rest = self._slurmrestd()
        self._closing: list[Callable[[], None]] = []
        self._logins: dict[str, Logins] = {}

    def close(self) -> None:
        """End what stands to another host."""
        for close in self._closing:
            close()

    def means_of(self) -> MeansOf | None:
        """Return what reaches a user's jobs and files; None where nothing is acted at all."""
        hand = self._hand()
        if hand is None:
            return None
        on_behalf = OnBehalf(hand, timeout=self._timeout)
        bin_path = str(self._settings.bin_path or "")
        asked = Tools(self._transport, bin_path=bin_path, timeout=self._timeout)

        def means_of(user: str) -> Means:
            behalf = on_behalf.of(user)
            tools = SlurmBatch(behalf.commands, asked)
            if self._rest is None:
                return Means(tools, behalf.files)
            logins = self._logins_of(user, behalf.commands.run)
            home = pwd.getpwnam(user).pw_dir
            return Means(RestBatch(self._rest, logins, tools, home), behalf.files)

        return means_of

    def commands_of(self, user: str) -> Transport:
        """Return what runs Slurm's tools as that user, by the hand; there is one where it acts."""
        hand = self._hand()
        if hand is None:
            raise AssertionError("commands of a user without GATEWAY_EXECUTOR")
        return OnBehalf(hand, timeout=self._timeout).of(user).commands

    def lister(self, user: str) -> Callable[[], JobListing] | None:
        """Return what slurmrestd lists to the gateway's own user; None where it is not to."""
        if self._rest is None:
            return None
        logins = self._logins_of(user, self._transport.run)
        return RestListing(self._rest, logins, lambda: datetime.now(UTC)).read_jobs

    def _hand(self) -> Hand | None:
        told = self._settings.acting
        match told.executor:
            case Executor.SUDO:
                return SudoHand(told.hand)
            case Executor.SOCKET:
                return SocketHand(told.hand_socket)
            case Executor.SETUID:
                return SetuidHand(told.hand, executor=told.setuid_program)
            case Executor.SSH:
                return self._over_ssh(told)
            case Executor.SELF:
                return OwnHand(told.own_conf, program=told.hand)
            case None:
                return None

    def _over_ssh(self, told: ActingSettings) -> Hand:
        login = told.login
        hand = SshHand(
            login.host,
            user=login.user,
            port=login.port,
            host_keys=KnownHosts(login.known_hosts),
            key=KeyFile(login.key),
            program=told.hand,
            conf=told.own_conf,
        )
        self._closing.append(hand.close)
        return hand

    def _slurmrestd(self) -> Rest | None:
        told = self._settings.acting
        if told.connector is Connector.COMMANDS or told.slurmrestd is None:
            return None
        return Rest(told.slurmrestd, timeout=self._timeout)

    def _logins_of(self, user: str, run: Run) -> Logins:
        return self._logins.setdefault(user, Logins(user, run))
