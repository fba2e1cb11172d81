"""Random walks before the real operator: tenants, an administrator, kills, in any order."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.e2e.operator.scene import MOO, SLEEP
from tests.trust.operator_walks.live import ELSEWHERE, LiveWorld
from tests.trust.operator_walks.model import Model
from tests.trust.size import count
from waldur_slurm.operator.kube.talk import Patch
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.operator.model.slurm_job import ABANDON

WHICH = st.integers(0, 3)
FORGERIES = ("runs as another's", "ended as another's", "nothing")
MOMENTS = st.sampled_from(
    (
        ("submit", "after"),
        ("submit", "before"),
        ("patch_status", "before"),
        ("accept", "after"),
        ("cancel", "after"),
        ("hold", "before"),
        ("let_go", "before"),
    )
)
CONFIGS = ("the namespace is not let in", "no clusters at all", "well", "well")


class LiveOperatorWalk(RuleBasedStateMachine):
    """`world` is what a test gives it."""

    world: LiveWorld
    is_well = True
    """Whether the ConfigMap lets the namespace in."""

    @initialize(herd=st.integers(1, 2), dies=MOMENTS)
    def begin(self, herd: int, dies: tuple[str, str]) -> None:
        self.model = Model()
        self.world.begin(*dies)
        self.world.add_foreign("")
        self.world.add_foreign(ELSEWHERE.mark)
        for number in range(herd):
            self.apply(f"calf-{number}", SLEEP, False, "Cancel")
        self._wait_for_the_operator()
        count("operator walks on the bed: begun")

    @precondition(lambda self: self.world.is_serving and self.is_well)
    @rule()
    def let_the_operator_act(self) -> None:
        """Else a walk is over before anything happens."""
        self._wait_for_the_operator()

    # Tenants

    @rule(
        name=st.sampled_from(("cow", "bull")),
        batch=st.sampled_from((MOO, SLEEP)),
        suspend=st.sampled_from((False, False, True)),
        policy=st.sampled_from(("Cancel", "Cancel", "Orphan")),
    )
    def apply(self, name: str, batch: str, suspend: bool, policy: str) -> None:
        """Make one, or edit all of one that is there."""
        uid = self.world.apply(name, batch=batch, suspend=suspend, cancelPolicy=policy)
        if policy == "Orphan":
            self.model.orphans.add(uid)
        count("operator walks on the bed: applied")

    @rule(which=WHICH, suspend=st.booleans())
    def suspend(self, which: int, suspend: bool) -> None:
        for uid in self._one(which):
            self.world.change(uid, {"spec": {"suspend": suspend}})
            count(f"operator walks on the bed: {'suspended' if suspend else 'resumed'}")

    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        for uid in self._one(which):
            self.model.deleted.add(uid)
            self.world.delete(uid)
            count("operator walks on the bed: deleted")

    @rule(which=WHICH)
    def abandon(self, which: int) -> None:
        """Its job runs on where nobody can say how it is."""
        for uid in self._one(which):
            self.model.orphans.add(uid)
            self.world.change(uid, {"metadata": {"annotations": {ABANDON: "true"}}})

    @rule(which=WHICH, forgery=st.sampled_from(FORGERIES))
    def forge_its_status(self, which: int, forgery: str) -> None:
        theirs = str(min(self.world.foreign))
        finished = {"type": "Finished", "status": "True", "reason": "Succeeded"}
        over = {"cluster": "lab", "output": {}, "conditions": [finished]}
        status = {
            "runs as another's": {"jobId": theirs, "phase": "Running", "status": "Running"},
            "ended as another's": {"jobId": theirs, "phase": "Succeeded", **over},
            "nothing": {},
        }[forgery]
        forged = [{"op": "add", "path": "/status", "value": status}]
        for uid in self._one(which):
            self.model.forged.add(uid)
            self.world.change(uid, forged, below="/status", meant=Patch.JSON)
            count("operator walks on the bed: status forged")

    @rule(which=WHICH)
    def copy_its_mark_to_a_job_of_ones_own(self, which: int) -> None:
        jobs = self.world.look()
        for uid in self._one(which):
            if uid in jobs and uid not in self.world.foreign.values():
                self.world.add_foreign(Identity(self.world.kubernetes, uid).mark, uid)
                count("operator walks on the bed: mark copied")

    # Slurm and administrators

    @rule(which=WHICH)
    def cancel_its_job_in_slurm(self, which: int) -> None:
        jobs = self.world.look()
        for uid in self._one(which):
            for job in jobs.get(uid, ()):
                self.model.ended.add(uid)
                self.world.scene.lab.run("scancel", str(job.number))
                count("operator walks on the bed: cancelled in Slurm")

    @rule(config=st.sampled_from(CONFIGS))
    def configure(self, config: str) -> None:
        scene = self.world.scene
        closed = {"lab": scene.lab_behind(self.world.gateway, namespaces={})}
        told = {CONFIGS[0]: closed, CONFIGS[1]: {}}
        self.is_well = config not in told
        if self.is_well:
            self.world.say_well()
        else:
            scene.say(told[config])
        count(f"operator walks on the bed: configured: {config}")

    # Operators and gateways

    @precondition(lambda self: self.world.is_operating)
    @rule()
    def kill_the_operator(self) -> None:
        self.world.kill_operator()
        count("operator walks on the bed: operator killed")

    @precondition(lambda self: not self.world.is_operating)
    @rule(dies=MOMENTS)
    def start_an_operator(self, dies: tuple[str, str]) -> None:
        """Which dies at an effect, if it comes to one."""
        self.world.start_operator(*dies)

    @rule(stays_away=st.booleans())
    def kill_the_gateway(self, stays_away: bool) -> None:
        self.world.kill_gateway()
        if not stays_away:
            self.world.start_gateway()
        count("operator walks on the bed: gateway killed")

    # What holds after every step

    @invariant()
    def each_has_one_job_and_nobody_elses_is_touched(self) -> None:
        if hasattr(self, "model"):
            wrong = [*self.model.wrong_at_any_time(self.world.look()), *self._touched()]
            assert not wrong, wrong
            count("operator walks on the bed: steps looked at")

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        try:
            self._let_it_be_quiet()
            self.each_has_one_job_and_nobody_elses_is_touched()
        finally:
            self.world.clear_away()

    def _let_it_be_quiet(self) -> None:
        self.world.start_gateway()
        self.world.say_well()
        self.world.kill_operator()
        self.world.start_operator()
        self.world.wait(lambda: not self._wrong(), self._wrong)
        self.world.wait(self.world.is_quiet, lambda: "it writes, and writes again")
        there = self.world.there()
        count("operator walks on the bed: SlurmJobs told as they are", len(self.model.told(there)))
        assert self.world.operator
        assert "crashed" not in self.world.operator.log
        for uid in there:
            self.model.deleted.add(uid)
            self.world.delete(uid)
        self.world.wait(lambda: not self._wrong(), self._wrong)
        count("operator walks on the bed: ended in quiet")

    def _wait_for_the_operator(self) -> None:
        """Until all is told, or it died over that."""
        was_operating = self.world.is_operating
        self.world.wait(lambda: not (self.world.is_operating and self._untold()), self._untold)
        if was_operating and not self.world.is_operating:
            count("operator walks on the bed: operator dead at an effect")

    def _wrong(self) -> list[str]:
        return [*self.model.wrong_in_the_end(self.world.there(), self.world.look())]

    def _touched(self) -> list[object]:
        """One whose mark is a SlurmJob's that is gone is no job of anybody else's any more."""
        there = self.world.there()
        copied = {each for each, uid in self.world.foreign.items() if uid and uid not in there}
        return [row for row in self.world.touched() if row.number not in copied]

    def _untold(self) -> list[str]:
        there = self.world.there()
        return [uid for uid in self.model.told(there) if not there[uid].status.get("phase")]

    def _one(self, which: int) -> list[str]:
        uids = [*self.world.there()]
        return [uids[which % len(uids)]] if uids else []


def on_the_bed(world: LiveWorld) -> type[LiveOperatorWalk]:
    class Walk(LiveOperatorWalk):
        pass

    Walk.world = world
    return Walk
