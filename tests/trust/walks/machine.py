"""Random walks: customers, jobs, an administrator, faults and time, in any order.

After every step the promises are looked at; at the end it goes quiet, and both sides agree.
"""

from contextlib import suppress
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from tests.fakes.pull import WALDUR_ACCOUNT
from tests.trust.size import count
from tests.trust.walks.memory import MemorySite
from tests.trust.walks.promises import Model
from tests.trust.walks.site import ADMIN, GPU, NODE, WalkSite
from tests.trust.walks.trouble import Calm, Lying, Trouble, troubles
from waldur_slurm.agent.model.marketplace import Dialect, OrderState, ResourceUuid
from waldur_slurm.agent.pull.world.doubts import BELIEVED_READINGS
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.names import ROOT, AccountName, UserName

WHICH = st.integers(0, 5)
SOME_GPUS = st.integers(0, 4)
NAMES = ("ann", "bob", "cy", "dan", "eve", "")
FLAGS = ("is_paused", "is_downscaled", "is_restricted")
WAITS = (
    *(timedelta(minutes=minutes) for minutes in (1, 2, 10, 35)),
    *(timedelta(hours=hours) for hours in (1, 7, 25)),
)
A_PERSON = Consent(allow_removals=True)
QUIET_CYCLES = 40


class Walk(RuleBasedStateMachine):
    KIND = "walks in memory"

    def new_site(self, dialect: Dialect) -> WalkSite:
        return MemorySite(dialect)

    @initialize(dialect=st.sampled_from(list(Dialect)), is_lived_in=st.sampled_from((True, False)))
    def begin(self, dialect: Dialect, is_lived_in: bool) -> None:
        self.site = self.new_site(dialect)
        self.model = Model(self.site)
        self.lies = 0
        for name in ("root's", "default's"):
            parent = ROOT if name == "root's" else WALDUR_ACCOUNT
            self._make_foreign(name[0], parent)
        for customer in ("Science", "Science", "Arts"):
            self.site.make_project(customer)
        for project in self.site.projects[:2]:
            for name in ("ann", "bob"):
                self.site.join(project, name)
        if is_lived_in:
            for which in (0, 0, 1):
                self.order(which, 2, is_begun=True)
            self.settle()
            self.submit(0, "ann", 1)
        count(f"{self.KIND}: walks begun")

    # Customers

    @rule(which=WHICH, gpus=SOME_GPUS, is_begun=st.booleans())
    def order(self, which: int, gpus: int, is_begun: bool) -> None:
        self.site.order_create(self._project(which), gpus, is_begun=is_begun)

    @rule(which=WHICH)
    def approve_as_consumer(self, which: int) -> None:
        if waiting := self.site.open_orders(OrderState.PENDING_CONSUMER):
            self.site.approve_as_consumer(waiting[which % len(waiting)].uuid)

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        states = (OrderState.PENDING_CONSUMER, OrderState.PENDING_PROVIDER)
        if waiting := self.site.open_orders(*states):
            self.site.cancel(waiting[which % len(waiting)].uuid)

    @rule(which=WHICH, gpus=SOME_GPUS)
    def change_limit(self, which: int, gpus: int) -> None:
        """Waldur takes no order that would change nothing."""
        wanted = {self.site.gpu: gpus}
        resources = {r.uuid: r for r in self.site.all_resources()}
        settled = [u for u in self.site.orderable() if dict(resources[u].limits) != wanted]
        if settled:
            self.site.order_update(settled[which % len(settled)], gpus)

    @rule(which=WHICH)
    def terminate(self, which: int) -> None:
        if settled := self.site.orderable():
            self.site.order_terminate(settled[which % len(settled)])

    @rule(which=WHICH, name=st.sampled_from(NAMES))
    def join(self, which: int, name: str) -> None:
        self.site.join(self._project(which), name)

    @rule(which=WHICH, name=st.sampled_from(NAMES))
    def leave(self, which: int, name: str) -> None:
        self.site.leave(self._project(which), name)

    @rule(name=st.sampled_from(NAMES), is_usable=st.booleans())
    def name_late(self, name: str, is_usable: bool) -> None:
        """The provider names somebody at last, or blocks his name."""
        self.site.name_user(name, name or "frank", is_usable=is_usable)

    @rule(name=st.sampled_from(NAMES))
    def forget_user(self, name: str) -> None:
        """Only the agent's journal knows him still."""
        self.site.forget_user(name)

    @rule(which=WHICH, flag=st.sampled_from(FLAGS), is_on=st.booleans())
    def set_flag(self, which: int, flag: str, is_on: bool) -> None:
        if settled := self.site.orderable():
            self.site.set_flag(settled[which % len(settled)], flag, is_on=is_on)

    # Jobs

    @rule(which=WHICH, name=st.sampled_from(NAMES[:5]), gpus=SOME_GPUS)
    def submit(self, which: int, name: str, gpus: int) -> None:
        if account := self._account(which):
            self.site.submit(UserName(name), account, gpus)

    @rule()
    def end_jobs(self) -> None:
        self.site.end_jobs()

    # An administrator

    @rule(which=WHICH)
    def admin_makes_account(self, which: int) -> None:
        """Also below a project's account, which then has to stay."""
        if account := self._account(which):
            parent = self.site.accounts()[account].parent
            if parent is not None:
                self._make_foreign(str(len(self.model.foreign)), parent)

    @rule(which=WHICH)
    def admin_comes_in(self, which: int) -> None:
        for uuid, account in self._chosen(which):
            self.site.hand.add_users({account: [ADMIN]})
            self.model.allocations[uuid].has_admin = True

    @rule(which=WHICH, minutes=st.sampled_from((0, 60, 120, 90)))
    def admin_sets_limit(self, which: int, minutes: int) -> None:
        for uuid, account in self._chosen(which):
            self.site.hand.set_limits(account, {GPU: minutes})
            self.model.allocations[uuid].gpu_minutes = minutes

    @rule(which=WHICH, nodes=st.sampled_from((None, 5, 9)))
    def admin_sets_other_limit(self, which: int, nodes: int | None) -> None:
        for uuid, account in self._chosen(which):
            self.site.hand.set_limits(account, {NODE: nodes})
            self.model.allocations[uuid].nodes = nodes

    @rule(which=WHICH, name=st.sampled_from(NAMES[:5]))
    def admin_removes_person(self, which: int, name: str) -> None:
        for _, account in self._chosen(which):
            with suppress(CommandFailed):
                self.site.hand.remove_users(account, [UserName(name)])

    @rule(which=WHICH, hold=st.sampled_from(((None, None), (5, 7), (0, 0))))
    def admin_sets_hold(self, which: int, hold: tuple[int | None, int | None]) -> None:
        for uuid, account in self._chosen(which):
            found = self.site.accounts()[account]
            is_held = (found.grp_jobs, found.grp_submit_jobs) == (0, 0)
            if not is_held and not self.site.resource(uuid).is_paused:
                self.site.hand.set_account_hold(account, *hold)
                self.model.allocations[uuid].hold = hold

    @rule(which=WHICH)
    def admin_moves_account(self, which: int) -> None:
        for uuid, account in self._chosen(which):
            self.site.hand.set_parent(account, ROOT)
            self.model.allocations[uuid].parent = ROOT

    # Time and trouble

    @rule(passed=st.sampled_from(WAITS))
    def wait(self, passed: timedelta) -> None:
        self.site.wait(passed)

    @rule(before=st.sampled_from((2, 30)))
    def wait_for_the_months_end(self, before: int) -> None:
        now = self.site.now
        following = (now.replace(day=1) + timedelta(days=32)).replace(
            day=1, hour=0, minute=0, second=0
        )
        passed = following - now - max(timedelta(minutes=before), self.site.can_approach_an_edge)
        if passed > timedelta():
            self.site.wait(passed)

    @rule()
    def restart(self) -> None:
        self.site.restart()

    @rule()
    def lose_the_journal(self) -> None:
        """What the agent cannot know from then on, nobody expects of it."""
        self.model.forget_what_the_journal_held()
        self.site.forget()

    @rule(trouble=troubles())
    def pull(self, trouble: Trouble) -> None:
        kept = self.model.kept_accounts()
        self.site.pull(self._noted(trouble), Consent())
        self.model.see_pull(kept)
        self.model.assert_usage_is_true()

    @rule(trouble=troubles())
    def push(self, trouble: Trouble) -> None:
        self.model.see_push(self.site.push(self._noted(trouble)))

    @rule(trouble=troubles(), other=troubles())
    def pull_twice(self, trouble: Trouble, other: Trouble) -> None:
        """Trouble upon trouble, a minute apart."""
        self.pull(trouble)
        self.site.wait(timedelta(minutes=1))
        self.pull(other)

    @rule(trouble=troubles(), other=troubles())
    def pull_and_push(self, trouble: Trouble, other: Trouble) -> None:
        self.pull(trouble)
        self.push(other)

    @rule()
    def settle(self) -> None:
        """A few calm cycles, as there are between two mishaps in real life."""
        for _ in range(3):
            self.pull(Calm())
            self.push(Calm())
            self.site.wait(timedelta(minutes=2))

    # What must hold

    @invariant()
    def promises_hold(self) -> None:
        count(f"{self.KIND}: steps looked at")
        self.model.assert_no_order_erred()
        self.model.assert_foreign_untouched()
        self.model.assert_one_account_each()
        self.model.assert_administrators_say()
        self.model.assert_within_the_brake()
        self.model.assert_usage_is_true()

    def teardown(self) -> None:
        if hasattr(self, "site"):
            try:
                self._end()
            finally:
                self.site.close()

    def _end(self) -> None:
        self._go_quiet()
        self.promises_hold()
        self.model.assert_agreement()
        self.model.assert_all_usage_told()
        written = self.site.writes()
        assert self.site.pull(Calm(), Consent()).is_idle
        assert self.site.push(Calm()).is_idle
        assert self.site.writes() == written, "an idle cycle writes"
        count(f"{self.KIND}: orders done", self.model.done)

    def _go_quiet(self) -> None:
        """Customers wait, jobs end, and a person says yes to what the brake holds."""
        for order in self.site.open_orders(OrderState.PENDING_CONSUMER):
            self.site.cancel(order.uuid)
        quiet = 0
        for _ in range(QUIET_CYCLES):
            is_idle = self.site.pull(Calm(), A_PERSON).is_idle
            self.model.assert_usage_is_true()
            pushed = self.site.push(Calm())
            self.model.see_push(pushed)
            quiet = quiet + 1 if is_idle and pushed.is_idle else 0
            if quiet == 2 and not self.site.open_orders():
                return
            self.site.end_jobs()
            self.site.wait(timedelta(hours=25) if quiet else timedelta(minutes=90))
        raise AssertionError("the site does not come to rest")

    # Inside

    def _noted(self, trouble: Trouble) -> Trouble:
        """An answer that lies three times running is believed, and rightly so."""
        self.lies = self.lies + 1 if isinstance(trouble, Lying) else 0
        if self.lies >= BELIEVED_READINGS:
            self.lies, trouble = 0, Calm()
        count(f"{self.KIND}: cycles, {trouble.kind}")
        return trouble

    def _project(self, which: int) -> str:
        return self.site.projects[which % len(self.site.projects)]

    def _account(self, which: int) -> AccountName | None:
        chosen = list(self._chosen(which))
        return chosen[0][1] if chosen else None

    def _chosen(self, which: int) -> list[tuple[ResourceUuid, AccountName]]:
        """One allocation that is there and not about to end."""
        held = self.model.allocations
        there = sorted(uuid for uuid in held if not self.model.is_ending(uuid))
        return (
            [(uuid, held[uuid].account) for uuid in there[which % len(there) :][:1]]
            if there
            else []
        )

    def _make_foreign(self, label: str, parent: AccountName) -> None:
        name = self.site.foreign_name(label)
        self.site.make_foreign_account(name, parent)
        self.model.foreign[name] = self.site.accounts()[name]
