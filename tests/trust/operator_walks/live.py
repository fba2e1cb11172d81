"""The same model before an operator whose API server, gateway and Slurm are real.

The operator is a process that is killed and started anew, and so is the gateway, at any moment: it
is in the middle of what was asked of it last.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count as numbers
from typing import Any

from tests.e2e.gateway.acting import ActingGateway
from tests.e2e.operator.scene import Scene
from tests.e2e.program import Daemon
from tests.fixtures_hand import ANN, BOB
from tests.trust.operator_walks.model import Job, JobsByUid
from waldur_slurm.operator.errors import Gone
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.access import access_by_kubeconfig
from waldur_slurm.operator.kube.client import KubeClient
from waldur_slurm.operator.kube.talk import Patch, Talk
from waldur_slurm.operator.model.identity import Identity, read_mark
from waldur_slurm.operator.model.slurm_job import SlurmJob, from_wire
from waldur_slurm.slurm.grammar.states import parse_job_state

ANYBODY = ""
"""As the uid of those at whose effect an operator dies."""
PATIENCE_S = 300.0
"""For what was open when a gateway was killed; it ends as soon as all is so."""
ROWS = ("squeue", "--noheader", "--all", "--states=all", "--format=%A|%T|%r|%k")
ELSEWHERE = Identity("5b7c1d2e-0000-4000-8000-000000000009", "5b7c1d2e-0000-4000-8000-00000000000a")


@dataclass(frozen=True)
class Row:
    """A job as squeue has it."""

    number: int
    state: str
    reason: str
    mark: str

    @property
    def is_held(self) -> bool:
        return "held" in self.reason.lower()


@dataclass
class LiveWorld:
    """What outlives every operator and every gateway; one for several walks, each begun anew."""

    scene: Scene
    gateway: ActingGateway
    stack: ExitStack
    uids: dict[str, str] = field(default_factory=dict)
    """The names of this walk's SlurmJobs, by their uids; those that are gone too."""
    seen: dict[int, Row] = field(default_factory=dict)
    """All jobs, as they were seen last: slurmctld forgets what ended."""
    foreign: dict[int, str] = field(default_factory=dict)
    """Jobs of others, and of which SlurmJob each has a copied mark."""
    operator: Daemon | None = None
    _walks: Iterator[int] = field(default_factory=numbers)
    _walk: int = 0

    @classmethod
    @contextmanager
    def around(cls, scene: Scene, gateway: ActingGateway) -> Iterator["LiveWorld"]:
        with ExitStack() as stack:
            yield cls(scene, gateway, stack)

    @cached_property
    def talk(self) -> Talk:
        return Talk(access_by_kubeconfig(self.scene.bed.kubeconfig))

    @cached_property
    def kubernetes(self) -> str:
        return KubeClient(self.talk).read_cluster_id()

    def begin(self, *dies: str) -> None:
        for kept in (self.uids, self.seen, self.foreign):
            kept.clear()
        self._walk = next(self._walks)
        self.say_well()
        self.start_operator(*dies)

    # Operators and gateways

    def start_operator(self, *dies: str) -> None:
        """Start one where none is; `dies` is at which effect, on whichever SlurmJob, and when."""
        if not self.is_operating:
            program = self.scene.program
            if dies:
                program.module = "tests.e2e.operator.mortal"
                program.always = (ANYBODY, *dies)
            self.operator = self.stack.enter_context(program.daemon(LOG_LEVEL="DEBUG"))
            self.operator.hears("READY=1")

    def kill_operator(self) -> None:
        if self.operator:
            self.operator.process.kill()
            self.operator.process.wait()
            self.operator = None

    def kill_gateway(self) -> None:
        self.gateway.daemon.process.kill()
        self.gateway.daemon.process.wait()

    def start_gateway(self) -> None:
        """At the same address, remembering what it remembered."""
        if not self.is_serving:
            listen = f"127.0.0.1:{self.gateway.port}"
            started = self.stack.enter_context(self.scene.site.running(GATEWAY_LISTEN=listen))
            started.port = self.gateway.port
            self.gateway = started

    @property
    def is_operating(self) -> bool:
        return self.operator is not None and self.operator.process.poll() is None

    @property
    def is_serving(self) -> bool:
        return self.gateway.daemon.process.poll() is None

    # Administrators and tenants

    def say_well(self) -> None:
        self.scene.say({"lab": self.scene.lab_behind(self.gateway)})

    def apply(self, name: str, **spec: Any) -> str:
        """Make one, or change its spec; returns its uid."""
        whole = {"options": {"mem": "10", "chdir": str(self.scene.work)}, **spec}
        name = f"w{self._walk}-{name}"
        try:
            made = self.talk.patch(self._path(name), {"spec": whole})
        except Gone:
            meta = {"name": name, "namespace": self.scene.namespace}
            kind = {"apiVersion": "slurm.sylabs.io/v1alpha1", "kind": "SlurmJob"}
            made = self.talk.post(self._path(), {**kind, "metadata": meta, "spec": whole})
        uid = str(made["metadata"]["uid"])
        self.uids[uid] = name
        return uid

    def change(
        self, uid: str, body: object, *, below: str = "", meant: Patch = Patch.MERGE
    ) -> None:
        """What is gone meanwhile is changed no more."""
        try:
            self.talk.patch(self._path(self.uids[uid]) + below, body, meant)
        except Gone:
            return

    def delete(self, uid: str) -> None:
        try:
            self.talk.delete(self._path(self.uids[uid]))
        except Gone:
            return

    def there(self) -> dict[str, SlurmJob]:
        """All of this walk that are left, by their uids."""
        found, _ = self.talk.list(self._path())
        jobs = {each["metadata"]["uid"]: from_wire(each) for each in found}
        return {uid: job for uid, job in jobs.items() if uid in self.uids}

    def versions(self) -> dict[str, str]:
        """As of which versions they are, and the events that were told of them."""
        events, _ = self.talk.list(paths.within(self.scene.namespace, "events"))
        told = {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in events}
        return told | {uid: job.resource_version for uid, job in self.there().items()}

    # Slurm

    def add_foreign(self, mark: str, uid: str = "") -> None:
        later = ("--begin=now+1hour", "--output=/dev/null", "--mem=10", f"--comment={mark}")
        self.foreign[self.scene.lab.submit(BOB, "physics", "true", *later)] = uid

    def look(self) -> JobsByUid:
        """Look at Slurm; return all jobs that were ever handed in for SlurmJobs of this walk."""
        for line in self.scene.lab.must(*ROWS).splitlines():
            number, state, reason, mark = line.split("|", 3)
            self.seen[int(number)] = Row(int(number), state, reason, mark.strip())
        jobs: dict[str, list[Job]] = {}
        for row in sorted(self.seen.values(), key=lambda row: row.number):
            whose = read_mark(row.mark)
            if whose and whose.uid in self.uids and row.number not in self.foreign:
                job = Job("lab", row.number, parse_job_state(row.state), row.is_held)
                jobs.setdefault(whose.uid, []).append(job)
        return jobs

    def touched(self) -> list[Row]:
        """Those of others that are not as they were handed in; call `look` before."""
        rows = [self.seen[number] for number in self.foreign]
        return [row for row in rows if row.state != "PENDING" or row.is_held]

    # Until all is quiet

    def wait(self, is_so: Callable[[], object], otherwise: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            log = self.operator.log[-3000:] if self.operator else ""
            assert time.monotonic() < deadline, f"{otherwise()}; log: {log}"
            time.sleep(0.5)

    def is_quiet(self) -> bool:
        """Whether two turns of the operator go by in which nothing is written."""
        assert self.operator
        log, before = self.operator, self.versions()
        turns = log.log.count("turn.ended")
        self.wait(lambda: log.log.count("turn.ended") >= turns + 4, lambda: "no turn ends")
        return self.versions() == before

    def clear_away(self) -> None:
        self.kill_operator()
        for uid in self.there():
            self.change(uid, {"metadata": {"finalizers": None}})
            self.delete(uid)
        for user in (ANN, BOB):
            self.scene.lab.must("scancel", f"--user={user}")

    def _path(self, name: str = "") -> str:
        return paths.job(self.scene.namespace, name)
