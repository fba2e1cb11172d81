"""The real operator between a real API server and a real Slurm behind a real gateway."""

import json
import shlex
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import yaml

from sandbox.kube import Bed
from sandbox.kube.asking import MERGE
from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.program import Daemon, Program
from tests.fixtures_hand import ANN
from tests.places import PROJECT
from waldur_slurm.operator.kube import paths

CRD = PROJECT / "deploy" / "crds" / "slurmjobs.yaml"
PATIENCE_S = 300.0
"""What may have been handed in is asked about again after a pause that grows to minutes."""
MOO = "#!/bin/sh\necho moo\n"
SLEEP = "#!/bin/sh\nsleep 600\n"


@dataclass
class OperatorProgram(Program):
    module: str = "waldur_slurm.operator.main"
    always: tuple[str, ...] = ("run",)

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", self.module, *(arguments or self.always)]


@dataclass
class Served:
    """The gateway of a site: there is one at a time, as they share what they remember."""

    site: ActingSite
    stack: ExitStack
    last: ActingGateway | None = None

    def one(self) -> ActingGateway:
        """Return the one that serves, a new one where there is none."""
        if self.last is None or self.last.daemon.process.poll() is not None:
            self.serve()
        assert self.last
        return self.last

    def serve(self, dies: tuple[str, ...] = ()) -> ActingGateway:
        """Start another, at another port, which dies as its own `mortal` has it."""
        self.stack.close()
        self.last = self.stack.enter_context(self.site.running(dies=dies))
        return self.last


@dataclass
class Scene:
    """One namespace of users, `namespace`, and the operator's own, in a shared Kubernetes."""

    bed: Bed
    site: ActingSite
    place: Path
    clusters: dict[str, dict[str, object]] = field(default_factory=dict)
    """What the ConfigMap says in the beginning."""
    namespace: str = field(default_factory=lambda: f"team-{uuid.uuid4().hex[:10]}")

    @property
    def lab(self) -> Cluster:
        return self.site.lab

    @property
    def work(self) -> Path:
        """Where jobs run, and write."""
        return self.site.hand.home(ANN)

    @property
    def own(self) -> str:
        return f"op-{self.namespace}"

    def prepare(self, token: str) -> None:
        bring_slurm_jobs(self.bed)
        for each in (self.namespace, self.own):
            named = {"metadata": {"name": each}}
            self.bed.api.apply({"apiVersion": "v1", "kind": "Namespace", **named})
        secret = self.place / "secrets" / "gateway-lab" / "token"
        secret.parent.mkdir(parents=True)
        secret.write_text(token)

    def say(self, clusters: Mapping[str, object]) -> None:
        """Write the ConfigMap, as an administrator does."""
        self.bed.api.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "slurm-config", "namespace": self.own},
                "data": {"clusters": json.dumps(clusters)},
            }
        )

    def lab_behind(self, gateway: ActingGateway, **changes: object) -> dict[str, object]:
        return {
            "url": f"http://127.0.0.1:{gateway.port}",
            "token": "gateway-lab",
            "default": True,
            "namespaces": {self.namespace: {"user": ANN, "account": "physics"}},
            **changes,
        }

    @property
    def program(self) -> OperatorProgram:
        environ = {
            "KUBECONFIG": str(self.bed.kubeconfig),
            "OPERATOR_NAMESPACE": self.own,
            "OPERATOR_SECRETS_DIR": str(self.place / "secrets"),
            "OPERATOR_TICK": "1s",
            "OPERATOR_CONFIG_EVERY": "1s",
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(PROJECT),
        }
        return OperatorProgram(environ, self.place)

    @contextmanager
    def operating(self, **changes: str) -> Iterator[Daemon]:
        with self.program.daemon(**changes) as daemon:
            daemon.hears("READY=1")
            yield daemon

    # As a user

    def apply(self, name: str = "cow", batch: str = MOO, **spec: Any) -> None:
        self.bed.api.apply(
            {
                "apiVersion": "slurm.sylabs.io/v1alpha1",
                "kind": "SlurmJob",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": {
                    "batch": batch,
                    "options": {"mem": "10", "chdir": str(self.work)},
                    **spec,
                },
            }
        )

    def forge_status(self, name: str, status: Mapping[str, object]) -> None:
        """Write a status as a tenant may who has the right to."""
        body = {**self.job(name), "status": status}
        self.bed.api.must("PUT", f"{self._path(name)}/status", body)

    def make(self, kind: str, name: str, **body: Any) -> None:
        """Make something else in the users' namespace."""
        meta = {"name": name, "namespace": self.namespace}
        self.bed.api.apply({"apiVersion": "v1", "kind": kind, "metadata": meta, **body})

    def job(self, name: str = "cow") -> dict[str, Any]:
        """Return the SlurmJob as it stands; nothing of one that is gone."""
        return self.bed.api.find(self._path(name))

    def all_jobs(self) -> dict[str, dict[str, Any]]:
        """Return all SlurmJobs of the namespace, by their names."""
        return self._named(self._path())

    def versions(self, names: Sequence[str]) -> dict[str, str]:
        """Return as of which versions these are, and the events about them."""
        events = self._named(paths.within(self.namespace, "events")).items()
        about = {name: each for name, each in events if each["involvedObject"]["name"] in names}
        jobs = {name: each for name, each in self.all_jobs().items() if name in names}
        found = {**about, **jobs}
        return {name: each["metadata"]["resourceVersion"] for name, each in found.items()}

    def phases(self, names: Sequence[str]) -> dict[str, str]:
        found = self.all_jobs()
        return {name: found[name].get("status", {}).get("phase", "") for name in names}

    def _path(self, name: str = "") -> str:
        return paths.job(self.namespace, name)

    def _named(self, path: str) -> dict[str, dict[str, Any]]:
        return {each["metadata"]["name"]: each for each in self.bed.api.find(path)["items"]}

    def uid(self, name: str = "cow") -> str:
        return str(self.job(name)["metadata"]["uid"])

    def status(self, name: str = "cow") -> dict[str, Any]:
        found: dict[str, Any] = self.job(name).get("status", {})
        return found

    def phase(self, name: str = "cow") -> str:
        return str(self.status(name).get("phase", ""))

    def change(self, name: str = "cow", **spec: Any) -> None:
        """Write these fields of its spec anew."""
        self.bed.api.must("PATCH", self._path(name), {"spec": spec}, MERGE)

    def delete(self, *names: str) -> None:
        for name in names or ("cow",):
            self.bed.api.must("DELETE", self._path(name))

    def conditions(self, name: str = "cow") -> dict[str, tuple[str, str]]:
        found = self.status(name).get("conditions", [])
        return {each["type"]: (each["status"], each["reason"]) for each in found}

    # As who looks at Slurm

    def numbers(self, uid: str) -> list[int]:
        """All jobs there, ended ones too, that carry the mark of a SlurmJob."""
        marked = self.site.jobs_marked("k8s:")
        return [number for number, mark in marked.items() if mark.endswith(f":{uid}")]

    def running(self) -> list[int]:
        """All jobs that run, whoever's."""
        return list(map(int, self.slurm("squeue --noheader --states=RUNNING --format=%A").split()))

    def slurm(self, command: str) -> str:
        return self.lab.must(*shlex.split(command))

    def wait_phase(self, *phases: str, name: str = "cow", daemon: Daemon | None = None) -> None:
        wait(lambda: self.phase(name) in phases, lambda: f"{self.status(name)} {_log(daemon)}")

    def wait_gone(self, name: str = "cow", daemon: Daemon | None = None) -> None:
        wait(lambda: not self.job(name), lambda: f"{self.job(name)} {_log(daemon)}")

    def is_held(self, name: str = "cow") -> bool:
        """Whether its job waits in Slurm because somebody holds it."""
        (number,) = self.numbers(self.uid(name))
        return "JobHeld" in self.slurm(f"squeue --noheader --job={number} --format=%r")

    def wait_held(self, name: str, wanted: bool, daemon: Daemon) -> None:
        wait(lambda: self.is_held(name) is wanted, lambda: _log(daemon))


def bring_slurm_jobs(bed: Bed) -> None:
    """Let it know the kind, and serve it."""
    bed.api.apply(yaml.safe_load(CRD.read_text()))
    wait(lambda: bed.api.ask("GET", paths.JOBS).status == 200, lambda: "no SlurmJobs")


def _log(daemon: Daemon | None) -> str:
    return daemon.log[-3000:] if daemon else ""


def seen(port: int, path: str) -> list[str]:
    """Return the lines of a page that the operator serves."""
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return bytes(answer.read()).decode().splitlines()


def wait(holds: Any, what: Any, timeout: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)
