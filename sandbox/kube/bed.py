"""A real Kubernetes in one directory, on loopback.

Whoever starts it owns it: when that process ends, however it ends, all of it ends.
"""

import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.kube import daemons, node
from sandbox.kube.asking import Asking
from sandbox.kube.image import pause_image
from sandbox.kube.people import ADMIN, NODE, make_keys
from sandbox.kube.place import PORTS, RECORD, BedOptions, Place, claim_directory
from sandbox.kube.programs import programs
from sandbox.slurm.commands import Completed
from sandbox.slurm.daemons import find_program, listens
from sandbox.slurm.errors import NoKeeper, SandboxError, with_tails
from sandbox.slurm.keeping import PATH, Keeper, is_locked, locked, try_lock, wait_until
from sandbox.slurm.ports import PortBlock, claim_ports

START_DEADLINE_S = 120.0
PATIENCE_S, PAUSE_S = 15.0, 0.1


class Bed:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._keeper = Keeper(place.control, place.log("keeper"))
        self.api = Asking(place)
        self.names = daemons.names(place)

    @classmethod
    def start(
        cls, directory: Path | str, options: BedOptions | None = None, *, owned: bool = True
    ) -> Self:
        """Start the Kubernetes of that directory and return when it answers, or join it if it runs.

        Not owned: it ends when its lifetime is over, and not with this process.
        """
        if options and options.with_node and (why := node.may_be_here()):
            raise SandboxError(why)
        made = programs()
        place = claim_directory(Path(directory))
        with locked(place / "start.lock", START_DEADLINE_S):
            if is_locked(place / "keeper.lock"):
                return cls.attach(place)
            prepared, ports = _prepare(place, options)
            bed = cls(prepared)
            bed._launch(ports, owned=owned)
            try:
                bed._boot(made)
            except BaseException:
                bed.stop()
                raise
        return bed

    @classmethod
    def attach(cls, directory: Path | str) -> Self:
        """Return the one of that directory without starting anything."""
        return cls(Place.read(Path(directory).resolve()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wipe()

    @property
    def place(self) -> Place:
        return self._place

    @property
    def kubeconfig(self) -> Path:
        """What opens it to its administrator."""
        return self._place.kubeconfig(ADMIN)

    @property
    def environ(self) -> Mapping[str, str]:
        """What kubectl needs, and nothing of the caller's."""
        home = str(self._place.directory / "home")
        return {"KUBECONFIG": str(self.kubeconfig), "HOME": home, "PATH": PATH}

    @property
    def is_running(self) -> bool:
        return is_locked(self._place.lock)

    def states(self) -> dict[str, str]:
        """Return "up", "frozen", "down" or how it ended, for each part."""
        known = self._keeper.states() if self.is_running else {}
        return {name: known.get(name, "down") for name in self.names}

    def pids(self) -> dict[str, int]:
        return self._keeper.pids() if self.is_running else {}

    def kubectl(self, *argv: str, said: str = "", timeout: float = 60.0) -> Completed:
        """Run kubectl as the administrator; `said` is its standard input."""
        return _run([find_program("kubectl"), *argv], self.environ, said, timeout)

    def must(self, *argv: str, said: str = "", timeout: float = 60.0) -> str:
        """Run a kubectl that has to succeed, and return what it wrote."""
        done = self.kubectl(*argv, said=said, timeout=timeout)
        if done.code:
            message = f"kubectl {shlex.join(argv)} exited {done.code}: {done.err.strip()}"
            raise self._failure(message, "kube-apiserver")
        return done.out

    def load(self, archive: Path) -> None:
        """Give its node an image."""
        done = self._ctr("images", "import", str(archive))
        if done.code:
            raise self._failure(f"{archive} was not taken: {done.err.strip()}", "containerd")

    def call_image(self, known: str, name: str) -> None:
        """Let its node know an image that it has by another name as well."""
        there = [f"docker.io/library/{each}" for each in (known, name)]
        done = self._ctr("images", "tag", "--force", *there)
        if done.code:
            raise self._failure(
                f"{known} cannot be called {name}: {done.err.strip()}", "containerd"
            )

    def start_daemon(self, name: str) -> None:
        """Start it and return when it answers."""
        self._spawn(name, programs())
        self._wait_ready(name)

    def kill_daemon(self, name: str) -> None:
        """End it as kill -9 does, and return when it is gone."""
        self._signal(name, signal.SIGKILL)
        self._wait(lambda: self.states()[name] not in ("up", "frozen"), name, "did not end")

    def restart_daemon(self, name: str) -> None:
        self.kill_daemon(name)
        self.start_daemon(name)

    def freeze(self, name: str) -> None:
        """Stop its time: the kernel still accepts connections, and nobody answers."""
        self._signal(name, signal.SIGSTOP)
        self._wait(lambda: self.states()[name] == "frozen", name, "ran on")

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)
        self._wait(lambda: self.states()[name] == "up", name, "stayed frozen")

    def stop(self) -> None:
        """End all of it; what it stored stays for the next start."""
        with suppress(NoKeeper):
            self._keeper.end(lambda: not self.is_running)

    def wipe(self) -> None:
        """End all of it, and remove the directory."""
        self.stop()
        shutil.rmtree(self._place.directory)

    def _launch(self, ports: PortBlock, *, owned: bool) -> None:
        """Have a keeper that holds the ports and the lock."""
        with ports.claim, self._place.lock.open("a") as lock:
            if not try_lock(lock):
                raise SandboxError(f"{self._place.directory} is run by somebody else")
            hold = (ports.claim.fileno(), lock.fileno())
            left = node.groups(self._place) if self._place.options.with_node else []
            lifetime_s = self._place.options.lifetime_s
            self._keeper.launch(lifetime_s, hold, owned=owned, remove=left)

    def _boot(self, made: Path) -> None:
        """Start each after what it needs: controllers give up on a server that takes long."""
        for group in daemons.groups(self._place):
            for name in group:
                self._spawn(name, made)
            self._wait_ready(*group)
        if self._place.options.with_node:
            node.prepare(self._place)
            self._spawn("containerd", made)
            self._wait_ready("containerd")
            self.load(pause_image(node.PAUSE))
            self._spawn("kubelet", made)
            self._wait_ready("kubelet")

    def _spawn(self, name: str, made: Path) -> None:
        if name not in self.names:
            raise SandboxError(f"no daemon {name!r} here: {', '.join(self.names)}")
        argv = self._argv(name, made)
        output = str(self._place.log(name))
        self._keeper.ask("spawn", name=name, argv=argv, environ={"PATH": PATH}, output=output)

    def _argv(self, name: str, made: Path) -> list[str]:
        if name in node.NAMES:
            return node.argv(self._place, name, made, self.pids().get("containerd", 0))
        return daemons.argv(self._place, name, made)

    def _wait_ready(self, *group: str) -> None:
        for name in group:
            self._wait(partial(self._is_ready, name), name, "no answer", START_DEADLINE_S)

    def _is_ready(self, name: str) -> bool:
        state = self.states()[name]
        if state != "up":
            raise self._failure(f"{name}: {state}", name)
        match name:
            case "etcd":
                return listens(self._place.etcd_port)
            case "kube-apiserver":
                return self._says_ready()
            case "containerd":
                return self._ctr("version").code == 0
            case "kubelet":
                return self._is_node_ready()
            case _:
                return True

    def _is_node_ready(self) -> bool:
        conditions = self.api.find(f"/api/v1/nodes/{NODE}").get("status", {}).get("conditions", [])
        return ("Ready", "True") in [(each["type"], each["status"]) for each in conditions]

    def _ctr(self, *argv: str) -> Completed:
        """Speak to containerd as the kubelet does."""
        found = [find_program("ctr"), f"--address={node.socket(self._place)}"]
        return _run([*found, "--namespace=k8s.io", *argv], self.environ)

    def _says_ready(self) -> bool:
        try:
            return self.api.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def _signal(self, name: str, number: signal.Signals) -> None:
        self._keeper.ask("signal", name=name, number=number)

    def _wait(
        self,
        happened: Callable[[], bool],
        name: str,
        otherwise: str,
        seconds: float = PATIENCE_S,
    ) -> None:
        said = f"{name}: {otherwise}"
        wait_until(happened, seconds, said, [self._place.log(name)], PAUSE_S)

    def _failure(self, message: str, name: str) -> SandboxError:
        return SandboxError(with_tails(message, [self._place.log(name)]))


def _prepare(directory: Path, options: BedOptions | None) -> tuple[Place, PortBlock]:
    """Claim the ports, and write what must be there before the first daemon starts."""
    before = Place.read(directory) if (directory / RECORD).exists() else None
    ports = claim_ports(PORTS, before.first_port if before else None)
    if before and ports.first != before.first_port:
        ports.claim.close()
        raise SandboxError(f"the ports of {directory} are taken by somebody else; wipe it")
    place = Place(directory, ports.first, options or (before.options if before else BedOptions()))
    if before is None:
        for name in ("log", "home"):
            (directory / name).mkdir(exist_ok=True)
        make_keys(place)
    place.record()
    return place, ports


def _run(
    argv: list[str], environ: Mapping[str, str], said: str = "", timeout: float = 60.0
) -> Completed:
    done = subprocess.run(
        argv,
        env=environ,
        input=said,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Completed(done.returncode, done.stdout, done.stderr)
