"""Random walks before an operator: tenants, administrators, kills and faults, in any order.

Beside it stands a small model: whose job each is, what was deleted, and what a tenant did to his
own SlurmJob so that nobody can hold what is said of it to the truth. After every step one SlurmJob
has one job at most, and nobody else's job was touched; at the end it goes quiet, and all is as it
is told, what is deleted is over, and nothing is written any more.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fakes.jobs import HELD, RUNS, WAITS, FakeSlurmJob
from tests.fakes.kube_jobs import KUBERNETES
from tests.trust.operator_walks.model import Job, JobsByUid, Model
from tests.trust.operator_walks.running import (
    API_FAULTS,
    CONFIGS,
    SLURM_FAULTS,
    WELL,
    Killed,
    Process,
    World,
)
from tests.trust.size import count
from waldur_slurm.operator.jobs.port import Wanted
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.operator.model.slurm_job import ABANDON

ELSEWHERE = "5b7c1d2e-0000-4000-8000-000000000009"
WHICH = st.integers(0, 5)
WHO = st.integers(0, 1)
QUIET_TURNS, QUIET_S = 24, 61
FORGERIES: tuple[dict[str, object], ...] = (
    {"jobId": "1", "phase": "Running", "status": "Running"},
    {
        "jobId": "1",
        "phase": "Succeeded",
        "cluster": "alpha",
        "output": {},
        "conditions": [{"type": "Finished", "status": "True", "reason": "Succeeded"}],
    },
    {"conditions": 7, "phase": [1], "slurm": 0},
    {"cluster": "beta"},
    {},
)


class OperatorWalk(RuleBasedStateMachine):
    @initialize(config=st.sampled_from((WELL, WELL, *sorted(CONFIGS))), herd=st.integers(0, 3))
    def begin(self, config: str, herd: int) -> None:
        """Some walks begin with SlurmJobs that are there, and some of those with their jobs."""
        self.world = World()
        self.world.say(config)
        self.processes = [Process(self.world), Process(self.world)]
        self.foreign: list[FakeSlurmJob] = []
        """Jobs of others: without a mark, with one of another Kubernetes, or with a copied one."""
        self.copied: dict[str, FakeSlurmJob] = {}
        self.released: set[str] = set()
        """Of which it was said that they may go whatever becomes of their jobs."""
        self.model = Model()
        self._add_foreign("")
        for number in range(herd):
            self.apply("physics", f"calf-{number}", False, "Cancel", "", "#!/bin/sh\n")
        if herd > 1:
            self.turn(0, 5, 1)
            self.start_jobs()
        count("operator walks: begun")

    # Tenants

    @rule(
        namespace=st.sampled_from(("physics", "chem")),
        name=st.sampled_from(("cow", "calf")),
        suspend=st.sampled_from((False, False, True)),
        policy=st.sampled_from(("Cancel", "Cancel", "Orphan")),
        cluster=st.sampled_from(("", "", "alpha", "beta")),
        batch=st.sampled_from(("#!/bin/sh\necho moo\n", "#!/bin/sh\necho baa\n")),
    )
    def apply(
        self, namespace: str, name: str, suspend: bool, policy: str, cluster: str, batch: str
    ) -> None:
        """Make one, or edit all of one that is there."""
        spec = {"suspend": suspend, "cancelPolicy": policy, "cluster": cluster, "batch": batch}
        uid = self.world.kube.apply(name, namespace, **spec)
        if policy == "Orphan":
            self.model.orphans.add(uid)
        count("operator walks: applied")

    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        for uid in self._one(which):
            self.model.deleted.add(uid)
            self.world.kube.delete(uid)
            count("operator walks: deleted")

    @rule(which=WHICH)
    def abandon(self, which: int) -> None:
        for uid in self._one(which):
            self.world.kube.annotate(uid, ABANDON, "true")
            self.released.add(uid)

    @rule(which=WHICH, forgery=st.sampled_from(FORGERIES))
    def forge_its_status(self, which: int, forgery: dict[str, object]) -> None:
        for uid in self._one(which):
            found = self.world.kube.objects[uid]
            found["status"] = dict(forgery)
            self.world.kube.annotate(uid, "seen", "by its tenant")
            self.model.forged.add(uid)
            self.model.strayed.add(uid)
            count("operator walks: status forged")

    @rule(which=WHICH)
    def remove_all_that_we_wrote(self, which: int) -> None:
        for uid in self._one(which):
            meta = self.world.kube.objects[uid]["metadata"]
            meta["annotations"] = {}
            self.world.kube.annotate(uid, "seen", "by its tenant")
            if "cluster" not in self.world.kube.status(uid):
                self.model.strayed.add(uid)
            self.released.add(uid)
            if meta.pop("finalizers", None) and "deletionTimestamp" in meta:
                del self.world.kube.objects[uid]
            count("operator walks: finalizer taken off")

    @rule(which=WHICH)
    def copy_its_mark_to_a_job_of_ones_own(self, which: int) -> None:
        for uid in self._one(which):
            is_begun = self.world.kube.job(uid).is_held
            if uid not in self.copied and (self.world.of(uid) or not is_begun):
                self.copied[uid] = self._add_foreign(Identity(KUBERNETES, uid).mark)

    @rule(which=WHICH)
    def take_the_mark_off(self, which: int) -> None:
        for uid in self._one(which):
            for _, job in self.world.of(uid):
                job.comment = ""

    # Administrators

    @rule(config=st.sampled_from(sorted(CONFIGS)))
    def configure(self, config: str) -> None:
        self.world.say(config)
        count(f"operator walks: configured: {config}")

    @rule()
    def lose_the_config_map(self) -> None:
        self.world.kube.maps.clear()

    # Slurm

    @rule()
    def start_jobs(self) -> None:
        for queue in self.world.queues.values():
            queue.tick()

    @rule(which=WHICH, how=st.sampled_from(("COMPLETED", "FAILED", "TIMEOUT")))
    def end_a_job(self, which: int, how: str) -> None:
        jobs = [job for uid in self.world.kube.objects for _, job in self.world.of(uid)]
        running = [job for job in jobs if job.state == RUNS]
        for job in running[which % len(running) :][:1] if running else ():
            job.end(how, int(how != "COMPLETED"))

    @rule(cluster=st.sampled_from(("alpha", "beta")), fault=st.sampled_from(SLURM_FAULTS))
    def trouble_slurm(self, cluster: str, fault: str) -> None:
        queue = self.world.queues[cluster]
        setattr(queue, fault, not getattr(queue, fault))
        count(f"operator walks: fault of Slurm: {fault}")

    @rule(words=st.sampled_from(("", "Invalid account")))
    def let_slurm_refuse(self, words: str) -> None:
        self.world.queues["alpha"].refuses = words
        self.model.is_refused = self.model.is_refused or bool(words)

    @rule()
    def let_the_gateways_settle(self) -> None:
        """What was handed in and made no job is forgotten when Slurm has been asked for it."""
        for queue in self.world.queues.values():
            open_ones = [key for key, (_, job) in queue.journal.items() if job is None]
            for key in [key for key in open_ones if key not in self.copied]:
                del queue.journal[key]

    # The API server

    @rule(fault=st.sampled_from(sorted(API_FAULTS)))
    def trouble_the_api_server(self, fault: str) -> None:
        error, methods = API_FAULTS[fault]
        self.world.kube.failing = dict.fromkeys(methods, error)
        count(f"operator walks: {fault}")

    @rule()
    def mend_the_api_server(self) -> None:
        self.world.kube.failing = {}

    @rule(who=WHO)
    def cut_the_watch_half_open(self, who: int) -> None:
        self.processes[who].freeze()
        count("operator walks: watch cut half-open")

    @rule(who=WHO)
    def watch_anew(self, who: int) -> None:
        self.processes[who].frozen = None

    # Operators

    @rule(who=WHO, seconds=st.sampled_from((1, 5, 31, 61)), times=st.integers(1, 3))
    def turn(self, who: int, seconds: int, times: int) -> None:
        for _ in range(times):
            self.world.pass_by(seconds)
            try:
                self.processes[who].turn()
            except Killed:
                self.processes[who] = Process(self.world)
                count("operator walks: killed at an effect")

    @rule(who=WHO, left=st.integers(1, 6), before=st.booleans())
    def kill_soon(self, who: int, left: int, before: bool) -> None:
        """While it takes its next turns."""
        self.processes[who].left, self.processes[who].dies_before = left, before
        self.turn(who, 31, 2)

    @rule(who=WHO)
    def start_anew(self, who: int) -> None:
        self.processes[who] = Process(self.world)

    # What holds after every step

    @invariant()
    def one_slurmjob_has_one_job_that_nobody_cancels_unasked(self) -> None:
        wrong = [*self.model.wrong_at_any_time(self._jobs())]
        assert not wrong, wrong

    @invariant()
    def nothing_without_our_mark_was_touched(self) -> None:
        gone = [job for uid, job in self.copied.items() if uid not in self.world.kube.objects]
        for job in self.foreign:
            is_as_it_was = job.state in (WAITS, RUNS) and job.reason not in HELD
            assert is_as_it_was or job in gone, job

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._let_it_be_quiet()
            self._all_is_as_it_is_told()
            self._nothing_is_written_any_more()

    def _let_it_be_quiet(self) -> None:
        for queue in self.world.queues.values():
            for fault in SLURM_FAULTS:
                setattr(queue, fault, False)
            queue.refuses = ""
        self.mend_the_api_server()
        self.world.say(WELL)
        for process in self.processes:
            process.frozen, process.left = None, 0
        for turn in range(QUIET_TURNS):
            if turn == 2:
                self.let_the_gateways_settle()
            self.world.pass_by(QUIET_S)
            for process in self.processes:
                process.turn()

    def _all_is_as_it_is_told(self) -> None:
        self.nothing_without_our_mark_was_touched()
        self.model.orphans |= {uid for uid in self.released if self._is_unmarked(uid)}
        there = {uid: self.world.kube.job(uid) for uid in self.world.kube.objects}
        wrong = [*self.model.wrong_in_the_end(there, self._jobs())]
        assert not wrong, wrong
        count("operator walks: SlurmJobs told as they are", len(self.model.told(there)))

    def _is_unmarked(self, uid: str) -> bool:
        """Whether somebody took the mark off its job, so that nobody finds it by that."""
        return not all(job.comment for _, job in self.world.of(uid))

    def _nothing_is_written_any_more(self) -> None:
        before = [*self.world.kube.writes]
        for process in self.processes:
            self.world.pass_by(QUIET_S)
            process.turn()
        assert self.world.kube.writes == before
        crashed = [each for each in self.world.told if each.name.endswith("crashed")]
        assert not crashed, crashed[0].fields
        count("operator walks: ended in quiet")

    def _add_foreign(self, mark: str) -> FakeSlurmJob:
        wanted = Wanted(f"theirs-{len(self.foreign)}", mark, "#!/bin/sh\n", "bob")
        job = self.world.queues["alpha"].add(wanted)
        self.foreign.append(job)
        return job

    def _jobs(self) -> JobsByUid:
        """All SlurmJobs for which a job was ever handed in, and their jobs."""
        theirs = {id(job) for job in self.foreign}
        keys = {
            job.wanted.key
            for queue in self.world.queues.values()
            for job in queue.jobs
            if id(job) not in theirs
        }
        return {uid: [_as_slurm_has(*each) for each in self.world.of(uid)] for uid in sorted(keys)}

    def _one(self, which: int) -> list[str]:
        uids = [*self.world.kube.objects]
        return [uids[which % len(uids)]] if uids else []


def _as_slurm_has(cluster: str, job: FakeSlurmJob) -> Job:
    return Job(cluster, job.number, job.state, job.reason in HELD)
