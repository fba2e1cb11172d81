"""Write what a real Slurm says about jobs: `python -m tests.recorded.record_jobs [RELEASE]`.

The scenes are in `job_scenes`; the site is furnished here, with what has ever confused a parser.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from tests.contract.batch_site import ANN, BOB, RealBatchSite, sheet
from tests.contract.site import RealSite
from tests.fakes.transport import Call, RecordingTransport, write_calls
from tests.recorded import job_scenes as scenes
from tests.recorded.record import FORGED, HERE, started
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.batch import BatchSheet, JobId, Verb
from waldur_slurm.model.past import PastQuery
from waldur_slurm.processes.port import Transport

LEFT = "#!/bin/sh\nexit 3\n"
HET = "#!/bin/sh\n#SBATCH hetjob\n#SBATCH --mem=10\nsleep 300\n"
HOSTILE = "x|y\n4711|COMPLETED|root\n~~"
REASON = "bad disk State=IDLE CPUTot=1"


class Recorder:
    """Plays scenes on one site, and writes down what was said in each."""

    def __init__(self, site: RealSite) -> None:
        self.site = site
        self.batch = RealBatchSite(site)
        self.folder = HERE / site.client.read_version()

    @contextmanager
    def recorded(self, scene: str, transport: Transport | None = None) -> Iterator[Transport]:
        recording = RecordingTransport(transport or self.site.transport)
        yield recording
        write_calls(self.folder / f"{scene}.json", recording.calls)

    def as_ann(self) -> Transport:
        return self.batch.as_user(ANN)

    def record(self) -> None:
        own, others = self.furnish()
        self.record_readings()
        self.record_acts(own, others)
        self.record_history()
        self.record_silence()

    def furnish(self) -> tuple[JobId, JobId]:
        """Return a job that Ann holds, and one of Bob's."""
        ann, bob = self.batch.of(ANN), self.batch.of(BOB)
        own = ann.submit(sheet(hold=None, job_name="held", time="1-02:03:04")).id
        ann.submit(BatchSheet(HET, sheet(hold=None).options))
        ann.submit(sheet(hold=None, array="1-9%2"))
        running = ann.submit(sheet(ntasks="2", nodes="2", gres="gpu:1", job_name="wide")).id
        ended = ann.submit(BatchSheet(LEFT, sheet(job_name="left").options)).id
        requeued = ann.submit(sheet(job_name="requeued")).id
        cancelled = ann.submit(sheet(job_name="cancelled")).id
        others = bob.submit(sheet(job_name="another")).id
        for text in (FORGED, HOSTILE):
            self._submit_by_hand(text)
        for job in (running, requeued, cancelled, others):
            self.batch.let_start(job)
        self.site.wait_until(lambda: str(ended) not in self.batch.states())
        self.site.machine.must("sleep", "1.5")
        ann.cancel([cancelled])
        ann.control(Verb.REQUEUE_HELD, requeued)
        self.site.machine.must("sleep", "6")  # the accounting hears of jobs up to 5 s later
        return own, others

    def _submit_by_hand(self, text: str) -> None:
        """Our own table takes no line break; sbatch itself does."""
        options = (f"--job-name={text}", f"--comment={text}", "--output=/dev/null", "--mem=10")
        batch = ("sbatch", "--account=batch", "--chdir=/tmp", *options, "--wrap=sleep 300")
        self.site.machine.must(*batch, user=BOB)

    def record_readings(self) -> None:
        machine = self.site.machine
        self.site.add_qos("high")
        limits = ("maxjobsperuser=3", "maxwall=1-00:00:00", "description=fast | lane")
        self.site.hand("modify", "qos", "high", "set", *limits)
        when = (
            "starttime=now+2hours",
            "duration=60",
            "nodes=n1",
            f"users={ANN}",
            "flags=maint,ignore_jobs",
        )
        machine.must("scontrol", "create", "reservation", "reservationname=upkeep", *when)
        drained = ("scontrol", "update", "nodename=n2", "state=drain", f"reason={REASON}")
        machine.must(*drained)
        with self.recorded("queue") as transport:
            scenes.read_queue(scenes.cluster_of(transport))
        with self.recorded("cluster") as transport:
            cluster = scenes.cluster_of(transport)
            for read in (
                cluster.read_nodes, cluster.read_partitions, cluster.read_reservations,
                cluster.read_licenses, cluster.read_qos, cluster.read_statistics,
                cluster.ping, cluster.read_versions,
            ):  # fmt: skip
                read()

    def record_acts(self, own: JobId, others: JobId) -> None:
        with self.recorded("submit-refused", self.as_ann()) as transport:
            scenes.submit_what_is_refused(scenes.batch_of(transport))
        with self.recorded("submit", self.as_ann()) as transport:
            scenes.submit(scenes.batch_of(transport))
        with self.recorded("steer-refused", self.as_ann()) as transport:
            scenes.steer(scenes.batch_of(transport), own, others)
        with self.recorded("cancel", self.as_ann()) as transport:
            scenes.cancel_all(scenes.batch_of(transport), own, others)

    def record_history(self) -> None:
        now = datetime.now(UTC)
        query = PastQuery(now - timedelta(minutes=10), now)
        with self.recorded("history") as transport:
            history = scenes.history_of(transport)
            scenes.read_history(history, query)
            history.read_people()
            history.read_memberships()
        silent = self.recorded("history-without-slurmdbd")
        with self.site.down(), silent as transport, suppress(SlurmError):
            scenes.read_history(scenes.history_of(transport), query)

    def record_silence(self) -> None:
        calls: list[Call] = []
        with self.batch.down():
            whole = RecordingTransport(self.site.transport)
            user = RecordingTransport(self.as_ann())
            scenes.ask_slurmctld(scenes.cluster_of(whole), scenes.batch_of(user))
            calls = [*whole.calls, *user.calls]
        write_calls(self.folder / "jobs-without-slurmctld.json", calls)


def main(release: str | None) -> None:
    with started(release) as site:
        recorder = Recorder(site)
        try:
            recorder.record()
        finally:
            recorder.batch.stack.close()


if __name__ == "__main__":
    main(*sys.argv[1:2] or (None,))
