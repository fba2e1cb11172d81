"""What acts as users, built from the settings: the hand, and slurmrestd where a site wants it."""

import pwd
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property, partial

from waldur_slurm.gateway.acting.actors import Means, MeansOf
from waldur_slurm.gateway.acting.login_user import LoginUser
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.acting import Connector, Executor
from waldur_slurm.model.live import JobListing
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.batch.client import SlurmBatch
from waldur_slurm.slurm.rest.batch import RestBatch
from waldur_slurm.slurm.rest.listing import RestListing
from waldur_slurm.slurm.rest.logins import Logins, Run
from waldur_slurm.slurm.rest.passing import Passing
from waldur_slurm.slurm.rest.talk import VERSIONS, Rest
from waldur_slurm.slurm.tools import Tools
from waldur_slurm.slurm.transports.hands import Hand, OwnHand, SetuidHand, SocketHand, SudoHand
from waldur_slurm.slurm.transports.identity import read_identity
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
        self._passed = self._passed_on()
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
            if self._passed is None:
                return Means(tools, behalf.files)
            logins = self._logins_of(user, behalf.commands.run)
            if self._rest is None:
                return Means(tools, behalf.files, logins)
            batch = RestBatch(self._rest, logins, tools, self._home_of(user))
            return Means(batch, behalf.files, logins)

        return means_of

    def _home_of(self, user: str) -> str:
        return pwd.getpwnam(user).pw_dir if self.login_user is None else self.login_user.home()

    @cached_property
    def login_user(self) -> LoginUser | None:
        """The only one who is acted as, where that is on another host."""
        told = self._settings.acting
        if told.executor is not Executor.SSH:
            return None
        login, hand = told.login, self._over_ssh
        ask = partial(read_identity, hand, login.user, self._timeout)
        return LoginUser(login.user, login.host, ask)

    def commands_of(self, user: str) -> Transport:
        """Return what runs Slurm's tools as that user, by the hand; there is one where it acts."""
        hand = self._hand()
        if hand is None:
            raise AssertionError("commands of a user without GATEWAY_EXECUTOR")
        return OnBehalf(hand, timeout=self._timeout).of(user).commands

    def lister(self, user: str, by_squeue: Callable[[], JobListing]) -> Callable[[], JobListing]:
        """Return what lists jobs to whoever the gateway reads as."""
        if self._rest is None:
            return by_squeue
        logins = self._logins_of(user, self._transport.run)
        return RestListing(self._rest, logins, lambda: datetime.now(UTC), by_squeue).read_jobs

    def passing(self, user: str) -> Passing | None:
        """Return what hands questions on to slurmrestd; None where nobody said where it is."""
        if self._passed is None:
            return None
        return Passing(self._passed, self._logins_of(user, self._transport.run))

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
                return self._over_ssh
            case Executor.SELF:
                return OwnHand(told.own_conf, program=told.hand)
            case None:
                return None

    @cached_property
    def _over_ssh(self) -> Hand:
        told = self._settings.acting
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

    def _passed_on(self) -> Rest | None:
        """Questions are handed on in the version that clients know, where that is served."""
        told, wanted = self._settings.acting, self._settings.proxy.version
        if told.slurmrestd is None:
            return None
        versions = VERSIONS if wanted is None else (wanted, *VERSIONS)
        return Rest(told.slurmrestd, timeout=self._timeout, versions=versions)

    def _logins_of(self, user: str, run: Run) -> Logins:
        return self._logins.setdefault(user, Logins(user, run))
