"""A submitter over a queue, a cluster and an accounting in memory; a test lets time pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.fakes.batch import FakeBatch, FakeJob, FakeQueue
from tests.fakes.cluster import FakeCluster, live_job
from tests.fakes.journal import FakeJournal
from tests.fakes.past import FakeHistory, past_run
from tests.unit.gateway.site import somebody
from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.acting.audit import Audit, Caller
from waldur_slurm.gateway.doors.people import Person
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.submits.attempt import Key, Placed, Wanted
from waldur_slurm.gateway.submits.reading import utc_now
from waldur_slurm.gateway.submits.submitter import Submitter
from waldur_slurm.model.batch import BatchSheet, JobId
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.transports.files import Files
from waldur_slurm.telemetry.events import Event

SCRIPT = "#!/bin/sh\nhostname\n"
DOUBT = timedelta(seconds=60)


class NoFiles:
    """Nothing here touches files."""


@dataclass
class Desk:
    queue: FakeQueue = field(default_factory=FakeQueue)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    history: FakeHistory = field(default_factory=FakeHistory)
    journal: FakeJournal = field(default_factory=FakeJournal)
    told: list[Event] = field(default_factory=list)
    doubt: timedelta = DOUBT

    def __post_init__(self) -> None:
        self.queue.on_new = self._show
        self.cluster.configuration |= {
            "AccountingStorageType": "accounting_storage/slurmdbd",
            "AccountingStoreFlags": "job_comment",
        }
        self.start()

    def start(self) -> None:
        """Start the gateway anew: only the journal is what it was."""
        pictures = ClusterPictures(
            "lab", self.cluster, self.history, self.told.append, jobs_ttl_s=0.0
        )
        self.submitter = Submitter(
            self.journal,
            {"lab": pictures},
            Audit(None, self.told.append),
            self.told.append,
            doubt=self.doubt,
        )

    def wait(self, *, minutes: float) -> None:
        """Let time pass: all that was is so much longer ago, and pictures are taken anew."""
        ago = timedelta(minutes=minutes)
        for key, attempt in self.journal.kept.items():
            self.journal.kept[key] = replace(
                attempt, opened=attempt.opened - ago, doubt_until=attempt.doubt_until - ago
            )
        for job in [*self.cluster.jobs.values()]:
            self.cluster.put(job._replace(submitted=job.submitted - ago))
        self.history.runs = [
            replace(run, submitted=run.submitted - ago, end=run.end and run.end - ago)
            for run in self.history.runs
        ]
        self.start()

    def actor(self, user: str = "ann") -> Actor:
        caller = Caller(principal=somebody(user), request_id="r1")
        files: Files = NoFiles()  # type: ignore[assignment]  # nobody asks for any
        person = Person(UserName(user), 1000, 1000, ())
        return Actor(caller, person, FakeBatch(self.queue, user), files)

    def submit(
        self,
        text: str = "k",
        user: str = "ann",
        script: str = SCRIPT,
        mark: str = "",
        **options: str,
    ) -> tuple[Placed, bool]:
        wanted = Wanted("lab", UserName(user), BatchSheet(script, options), mark)
        return self.submitter.submit(self.actor(user), Key("token:portal", text), wanted)

    @contextmanager
    def losing(self, what: str) -> Iterator[None]:
        """Lose `answers` or `requests` for a while."""
        setattr(self.queue, f"loses_{what}", True)
        try:
            yield
        finally:
            setattr(self.queue, f"loses_{what}", False)

    def lose(self, what: str = "answers", **asked: str) -> None:
        """Hand one in whose answer is lost."""
        with self.losing(what):
            try:
                self.submit(**asked)
            except ExpectedError:
                return
        raise AssertionError("an answer came")

    def end(self, number: int) -> None:
        """Let a job end, and the accounting hear of it."""
        self.cluster.finish(number)
        job = self.cluster.jobs[number]
        self.history.runs.append(
            past_run(
                number, user=job.user, comment=job.comment, submitted=job.submitted, end=utc_now()
            )
        )

    def comment(self, number: int, text: str) -> None:
        """What a job's owner may do to it."""
        self.cluster.put(self.cluster.jobs[number]._replace(comment=text))

    def events(self, name: str) -> list[Event]:
        return [event for event in self.told if event.name == name]

    def _show(self, job: FakeJob) -> None:
        self.cluster.put(
            live_job(
                job.number,
                user=UserName(job.user),
                submitted=utc_now().replace(microsecond=0),
                comment=job.sheet.options["comment"],
                id=JobId(job.number),
            )
        )
