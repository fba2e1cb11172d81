"""A desk over a queue, files and stores in memory; a test lets it end and start anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.tasks import FakeTasks
from tests.unit.gateway.submits.desk import Desk as SubmitDesk
from tests.unit.gateway.tasks.makers import hello, shipped
from waldur_slurm.gateway.acting.audit import Audit
from waldur_slurm.gateway.errors import Denied, NotNow
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.tasks.desk import Desk
from waldur_slurm.gateway.tasks.task import Accepted, KeptTask, Reading, parse_task
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.model.cluster import Partition

SLURM = {**hello()["slurm"], "partition": "main"}


@dataclass
class TaskDesk:
    """`submits` has Slurm and the journal; the tree is where directories are made."""

    submits: SubmitDesk = field(default_factory=SubmitDesk)
    tasks: FakeTasks = field(default_factory=FakeTasks)
    tree: FakeTree = field(default_factory=FakeTree)
    refused: str = ""
    """Who may ask for no letters."""
    partitions: Collection[Partition] | None = ()
    """None: Slurm does not tell."""

    def __post_init__(self) -> None:
        self.woken = 0
        self.start()

    def start(self) -> None:
        """Start the gateway anew."""
        self.submits.start()
        self.desk = Desk(
            self.tasks,
            self.submits.submitter,
            Audit(None, self.submits.told.append),
            shipped(),
            self._let_ask,
            partitions_of=self._partitions,
            wake=self._wake,
        )

    def submit(self, caller: str = "ann", **changed: Any) -> Accepted:
        """Hand in the document's task, where nothing else is said."""
        given = hello(slurm=SLURM, **changed) if "slurm" not in changed else hello(**changed)
        actor = replace(self.submits.actor(caller), files=FakeFiles(self.tree))
        return self.desk.submit(actor, "lab", parse_task(given, Reading.DOCUMENT))

    @property
    def monitors(self) -> list[Monitor]:
        return [*self.tasks.monitors.kept.values()]

    @property
    def kept(self) -> list[KeptTask]:
        return [task for _, task in self.tasks.kept.values()]

    @property
    def jobs(self) -> int:
        return len(self.submits.queue.jobs)

    def is_empty(self) -> bool:
        """Whether nothing is left of what was asked."""
        return not (self.kept or self.monitors or self.submits.journal.kept or self.jobs)

    def _let_ask(self, owner: str, methods: Mapping[Method, Mapping[str, str]]) -> None:
        if owner == self.refused and methods:
            raise Denied("no letters for you")

    def _partitions(self, _cluster: str) -> Collection[Partition]:
        if self.partitions is None:
            raise NotNow("Slurm does not answer")
        return self.partitions

    def _wake(self) -> None:
        self.woken += 1
