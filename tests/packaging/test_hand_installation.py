"""What is shipped for the hand is what works: units, the line for sudo, hand.conf, the one file.

The real ways run where root would put everything, by name: in a mount namespace with a copy of
/etc of its own, so that the machine stays as it is.
"""

import configparser
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam

import pytest

from sandbox.slurm.users import ensure_users
from tests.fixtures_executor import copy_sources
from tests.fixtures_hand import ANN, BOB, SILENCE, CallersSocketHand
from tests.fixtures_slurm import IN_CI, require
from tests.places import PROJECT
from waldur_slurm.errors import NotPermitted, TransportError
from waldur_slurm.hand import place
from waldur_slurm.hand.conf import parse_conf
from waldur_slurm.slurm.transports.hands import (
    EXECUTOR,
    PROGRAM,
    SOCKET,
    Hand,
    SetuidHand,
    SudoHand,
)
from waldur_slurm.slurm.transports.on_behalf import OnBehalf

SHIPPED = PROJECT / "systemd-conf" / "gateway"
RULE = SHIPPED / "slurm-gateway-hand.sudoers"
SERVICE = SHIPPED / "slurm-gateway-hand.service"
LISTENER = SHIPPED / "slurm-gateway-hand.socket"
CONF = SHIPPED / "hand.conf"

GATEWAY, GATEWAY_UID = "slurm-gateway", 64_990
USERS, USERS_GID = "slurm-users", 64_991
NOGROUP_GID = 65_534


def run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def unit(file: Path, section: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    parser.read(file, encoding="utf-8")
    return parser[section]


def test_hand_conf_is_understood_and_lets_a_group_be_acted_as_at_home() -> None:
    conf = parse_conf(CONF.read_text(encoding="utf-8"))

    assert (conf.caller, conf.users) == (GATEWAY, (f"@{USERS}",))
    assert conf.roots == ("{home}", "/scratch/{user}")


def test_all_that_is_shipped_names_the_same_places() -> None:
    assert unit(SERVICE, "Service")["ExecStart"] == f"{PROGRAM} serve"
    assert unit(LISTENER, "Socket")["ListenStream"] == str(SOCKET)
    assert unit(LISTENER, "Socket")["SocketUser"] == GATEWAY
    assert parse_conf(CONF.read_text(encoding="utf-8")).socket == str(SOCKET)
    page = (PROJECT / "docs" / "hand.md").read_text(encoding="utf-8")
    for each in (str(PROGRAM), place.CONF, *(file.name for file in SHIPPED.glob("*hand*"))):
        assert each in page


def test_sudo_is_given_one_line_that_names_one_file_without_an_argument() -> None:
    lines = RULE.read_text(encoding="utf-8").splitlines()
    (rule,) = [line for line in lines if line and not line.startswith("#")]

    assert rule == f'{GATEWAY} ALL = (ALL, !root) NOPASSWD: {PROGRAM} ""'
    assert run("visudo", "--check", "--strict", "--file", RULE).returncode == 0


def test_visudo_would_find_a_mistake_in_it(tmp_path: Path) -> None:
    broken = tmp_path / "rule"
    broken.write_text(RULE.read_text(encoding="utf-8").replace("NOPASSWD:", "NOPASSWD"))

    assert run("visudo", "--check", "--strict", "--file", broken).returncode != 0


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """The file that is started need not be there."""
    service, listener = tmp_path / SERVICE.name, tmp_path / LISTENER.name
    service.write_text(SERVICE.read_text(encoding="utf-8").replace(str(PROGRAM), "/bin/true"))
    shutil.copy(LISTENER, listener)
    verified = run("/usr/bin/systemd-analyze", "verify", service, listener)
    judged = run(
        "/usr/bin/systemd-analyze", "security", "--offline=true", "--threshold=30", service
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert judged.returncode == 0, judged.stdout[-300:]


class Machine:
    """A machine where root has installed all that is shipped, as `docs/hand.md` says."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.socket = directory / "hand.sock"
        self._etc, self._libexec = directory / "etc", directory / "libexec"
        self._local = directory / "local"
        self._copy()
        self._add_people()
        self._install()
        self._install_executor()

    def _copy(self) -> None:
        for place_of, copy in ((Path("/etc"), self._etc), (PROGRAM.parents[1], self._libexec)):
            assert run("cp", "--archive", place_of, copy).returncode == 0
        self.home.mkdir()
        self._local.mkdir()
        uid, gid = getpwnam(ANN)[2:4]
        os.chown(self.home, uid, gid)

    def _add_people(self) -> None:
        passwd, group = self._etc / "passwd", self._etc / "group"
        at_home = passwd.read_text().replace(
            self._line_of(ANN), self._line_of(ANN).replace(getpwnam(ANN).pw_dir, str(self.home))
        )
        gateway = f"{GATEWAY}:*:{GATEWAY_UID}:{NOGROUP_GID}::/:/usr/sbin/nologin\n"
        passwd.write_text(at_home + gateway)
        group.write_text(f"{group.read_text()}{USERS}:*:{USERS_GID}:{ANN}\n")

    def _line_of(self, user: str) -> str:
        lines = (self._etc / "passwd").read_text().splitlines()
        return next(line for line in lines if line.startswith(f"{user}:"))

    def _install(self) -> None:
        program = self._libexec / PROGRAM.relative_to(PROGRAM.parents[1])
        built = run("make", "--directory", PROJECT, "hand", f"HAND={self.directory}/built")
        assert built.returncode == 0, built.stderr
        for file, installed, mode in (
            (self.directory / "built", program, "0755"),
            (CONF, self._etc / Path(place.CONF).relative_to("/etc"), "0644"),
            (RULE, self._etc / "sudoers.d" / RULE.stem, "0440"),
        ):
            argv = ("install", "-D", "--owner=root", "--group=root", f"--mode={mode}")
            assert run(*argv, file, installed).returncode == 0
        self.inside = self.directory / "inside"
        places = {"/etc": self._etc, "/usr/libexec": self._libexec, "/usr/local": self._local}
        mounts = " && ".join(f"mount --bind {copy} {place}" for place, copy in places.items())
        self._script(self.inside, f'exec unshare -m sh -c \'{mounts} && exec "$@"\' sh "$@"')
        self.sudo, self.executor = self.directory / "sudo", self.directory / "executor"
        as_gateway = f"setpriv --reuid {GATEWAY_UID} --regid {NOGROUP_GID} --clear-groups --"
        self._script(self.sudo, f'exec {self.inside} {as_gateway} sudo "$@"')
        self._script(self.executor, f'exec {self.inside} {as_gateway} {EXECUTOR} "$@"')

    def _install_executor(self) -> None:
        """Type what `docs/hand.md` says, beside a copy of the sources."""
        sources = copy_sources(self.directory / "copy" / "executor")
        page = (PROJECT / "docs" / "hand.md").read_text(encoding="utf-8")
        lines = page.partition("### By the executor\n\n```bash\n")[2].partition("```")[0]
        typed = run(self.inside, "sh", "-ec", f"cd {sources.parent}\n{lines}")
        assert (typed.returncode, typed.stderr) == (0, ""), typed.stderr

    def _script(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    @contextmanager
    def listening(self) -> Iterator[Hand]:
        """Serve the socket as systemd does, with the rights that the unit leaves."""
        bounds = unit(SERVICE, "Service")["CapabilityBoundingSet"].split()
        left = ",".join(f"+{each.removeprefix('CAP_').lower()}" for each in bounds)
        rights = ("setpriv", "--no-new-privs", f"--bounding-set=-all,{left}", "--")
        listen = ("systemd-socket-activate", f"--listen={self.socket}")
        command = unit(SERVICE, "Service")["ExecStart"].split()
        argv = (str(self.inside), *rights, *listen, *command)
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as service:
            try:
                heard = service.stderr.readline() if service.stderr else ""
                assert heard.startswith("Listening on"), heard
                os.chown(self.socket, GATEWAY_UID, -1)
                yield CallersSocketHand(self.socket, GATEWAY_UID)
            finally:
                service.kill()
        self.socket.unlink()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    needed = ("sudo", "setpriv", "unshare", "cc", "make", "systemd-socket-activate")
    missing = [name for name in needed if shutil.which(name) is None]
    root = [] if os.geteuid() == 0 else ["root, to act as several users"]
    require(missing + root, in_ci=IN_CI)
    ensure_users((ANN, BOB))
    directory = Path(tempfile.mkdtemp(prefix="wsat-hand-", dir="/var/lib"))
    directory.chmod(0o755)
    try:
        yield Machine(directory)
    finally:
        shutil.rmtree(directory)


def sudo_says(machine: Machine, *argv: str | Path) -> str:
    done = run(machine.sudo, "-n", *argv)
    assert done.returncode != 0
    return done.stderr


@pytest.fixture(params=["sudo", "setuid", "socket"])
def hand(request: pytest.FixtureRequest, machine: Machine) -> Iterator[Hand]:
    if request.param == "sudo":
        yield SudoHand(sudo=machine.sudo)
    elif request.param == "setuid":
        yield SetuidHand(executor=machine.executor)
    else:
        with machine.listening() as hand:
            yield hand


def test_a_listed_user_is_acted_as_by_what_is_shipped(machine: Machine, hand: Hand) -> None:
    files = OnBehalf(hand, silence=SILENCE).of(ANN).files
    path = machine.home / "from-the-gateway"
    files.put(str(path), [b"hers"], most=100)

    written = path.stat()
    assert path.read_bytes() == b"hers"
    assert (written.st_uid, written.st_gid) == getpwnam(ANN)[2:4]
    assert stat.S_ISREG(written.st_mode)
    files.remove(str(path))


@pytest.mark.parametrize("user", [BOB, "root", GATEWAY])
def test_nobody_else_is(machine: Machine, hand: Hand, user: str) -> None:
    with pytest.raises((NotPermitted, TransportError)):
        OnBehalf(hand, silence=SILENCE).of(user).files.look(str(machine.home))


def test_sudo_starts_nothing_else_and_nobody_as_root(machine: Machine) -> None:
    for argv in (
        ("-u", ANN, "--", PROGRAM, "serve"),
        ("-u", ANN, "--", PROGRAM, "self", "/tmp/hand.conf"),  # noqa: S108 - only named
        ("-u", ANN, "--", "/usr/bin/id"),
        ("-u", "root", "--", PROGRAM),
        ("-u", "#0", "--", PROGRAM),
    ):
        assert "password is required" in sudo_says(machine, *argv), argv


def test_the_executor_starts_nothing_else_and_nobody_outside_of_its_range(machine: Machine) -> None:
    for words, code in (
        (("--user", ANN, "--command", "/usr/bin/id"), 6),
        (("--user", ANN, "--command", f"{PROGRAM} serve"), 6),
        (("--user", ANN, "--command", "id"), 6),
        (("--user", "root", "--command", PROGRAM), 13),
        (("--user", GATEWAY, "--command", PROGRAM), 13),
    ):
        done = run(machine.executor, *words)
        assert (done.returncode, done.stdout) == (code, ""), words
