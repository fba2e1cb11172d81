"""Random walks before a gateway: clients of all surfaces, admins, jobs and faults, in any order.

Beside the gateway stands a small model: the jobs that were listed last, who may see whose, what was
asked with which key, and what became of each watched job in truth. After every step what was made
and told is compared with it; at the end it goes quiet, and nothing may be open, lost or doubled.
"""

from collections import Counter
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
)

from tests.gateway_client import Answered
from tests.trust.gateway_walks.slurm import ENDS
from tests.trust.gateway_walks.walker import APP_JOBS, CLIENTS, LATER, MAIL, SEES, Walker, Wish
from tests.trust.size import count

WHO = st.sampled_from(sorted(CLIENTS))
KEYS = st.integers(0, 1)
WHICH = st.integers(0, 5)
MOODS = st.sampled_from(("takes", "is gone", "takes, and the gateway is killed"))
MISHAPS = st.sampled_from(
    (
        "none",
        "none",
        "none",
        "its answer is lost",
        "it is lost",
        "it is late",
        "Slurm is away",
        "the disk is full",
    )
)
MISHAPS_OF_APPS = st.one_of(MISHAPS, st.just("the app's jobs are not written"))
USERS = st.sampled_from(("ann", "bob"))
CHANGES = st.sampled_from((("POST", "/start"), ("POST", "/stop"), ("DELETE", "")))


class GatewayWalk(Walker):
    @initialize(is_watched=st.sampled_from((True, True, False)))
    def begin(self, is_watched: bool) -> None:
        """Most walks begin with all of yesterday's jobs watched, all with two of an app's."""
        self.set_out()
        for which in range(len(self.slurm.live()) if is_watched else 0):
            self.watch_job("admin", which)
        for who in ("ann", "bob"):
            self.make_app_job(who, "none", starts=False)
        count("gateway walks: begun")

    # Clients that hand jobs in

    @rule(who=WHO, key=KEYS, mishap=MISHAPS)
    def submit(self, who: str, key: int, mishap: str) -> None:
        """Natively: a key is the client's own."""
        wish = Wish(self.named(who, key), who, self.tokens[who], key=f"k{key}")
        with self.mishap(mishap):
            self.hand_in(wish)

    @rule(who=WHO, key=KEYS, mishap=MISHAPS)
    def submit_and_ask_again(self, who: str, key: int, mishap: str) -> None:
        """As a client does that was told to come again."""
        self.submit(who, key, mishap)
        self.running.pass_time()
        self.submit(who, key, "none")

    @rule(who=WHO, key=KEYS)
    def submit_another_by_the_same_key(self, who: str, key: int) -> None:
        """Whatever becomes of it, the key has no second job."""
        name = self.named(who, key)
        user = Wish(name, who, "").user
        body = {"script": "#!/bin/sh\nfalse\n", "options": {"job-name": name}, "user": user}
        if self.slurm.named[name]:
            answer = self.ask(who, "POST", "/api/v1/jobs", body, key=f"k{key}")
            assert answer.status in LATER, answer.text

    @rule(who=WHO, key=KEYS, mishap=MISHAPS, surface=st.sampled_from(("native", "slurm-proxy")))
    def submit_task(self, who: str, key: int, mishap: str, surface: str) -> None:
        """A uuid is one job; slurm-proxy's client is told of it as of a duplicate."""
        name = f"{surface}-{self.named(who, key)}"
        with self.mishap(mishap):
            self.hand_in(Wish(name, who, self.tokens[who], surface=surface))

    # Clients of an app

    @rule(who=USERS, mishap=MISHAPS_OF_APPS, starts=st.booleans())
    def make_app_job(self, who: str, mishap: str, starts: bool) -> None:
        body = {"user": who, "parameters": {"command": "true"}, "start": starts}
        with self.mishap(mishap), self.running.jobs_are_old():
            answer = self.ask(who, "POST", APP_JOBS, body)
        if answer.status == 201:
            job = self.running.app_jobs.jobs[answer.json["id"]]
            assert len(self.slurm.live_of(self.place_of(job))) == starts
        else:
            assert answer.status in LATER, answer.text

    @rule(which=WHICH, mishap=MISHAPS_OF_APPS, then=st.none() | CHANGES)
    def start_app_job(self, which: int, mishap: str, then: tuple[str, str] | None) -> None:
        """And perhaps something else at once, whatever the answer was."""
        self._change(which, mishap, ("POST", "/start"))
        if then is not None:
            self._change(which, "none", then)

    @rule(which=WHICH, mishap=MISHAPS_OF_APPS)
    def stop_app_job(self, which: int, mishap: str) -> None:
        self._change(which, mishap, ("POST", "/stop"))

    @rule(which=WHICH, mishap=MISHAPS_OF_APPS)
    def remove_app_job(self, which: int, mishap: str) -> None:
        self._change(which, mishap, ("DELETE", ""))

    def _change(self, which: int, mishap: str, asked: tuple[str, str]) -> None:
        jobs = [*self.running.app_jobs.jobs.values()]
        for job in jobs[which % len(jobs) :][:1] if jobs else ():
            with self.mishap(mishap):
                self.change_app_job(job, *asked)

    # Clients that look

    @rule(who=WHO, whose=WHO)
    def list_natively(self, who: str, whose: str) -> None:
        """One after the other, the second with the first one's tag: it is for who sees the same."""
        first = self._list_natively(whose)
        second = self._list_natively(who, first.headers.get("etag", ""))
        if second.status == 304:
            assert SEES[who] == SEES[whose]

    def _list_natively(self, who: str, tag: str = "") -> Answered:
        answer = self.ask(who, "GET", "/api/v1/jobs?limit=1000", tag=tag)
        if answer.status != 304 and self.is_told(answer):
            jobs = answer.json["jobs"]
            seen = {job["job_id"]: (job["user"], job["state"]["base"]) for job in jobs}
            assert seen == {str(n): (j.user, j.state.base) for n, j in self.listed(who)}
            assert answer.json["total"] == len(seen)
        return answer

    @rule(who=WHO)
    def list_by_restapi(self, who: str) -> None:
        answer = self.ask(who, "GET", "/queue")
        if self.is_told(answer):
            seen = {number: job["job_state"] for number, job in answer.json["data"].items()}
            assert seen == {str(n): j.state.base for n, j in self.listed(who)}

    @rule(who=WHO, number=st.sampled_from((1, 2, 3, 4, 101, 102, 103, 999)))
    def look_at_one(self, who: str, number: int) -> None:
        with self.running.jobs_are_old():
            answer = self.ask(who, "GET", f"/api/v1/jobs/{number}")
        listed = dict(self.listed(who))
        if answer.status == 404:
            assert self.slurm.history.outage is None
            assert number not in listed
            assert not self.is_past(who, number)
        elif self.is_told(answer):
            told = answer.json
            assert self.sees(who, told["user"])
            if number in listed:
                assert told["state"]["base"] == listed[number].state.base
            else:
                assert told["state"]["base"] in self.past_states(number)

    @rule(who=WHO, number=st.sampled_from((1, 2, 3, 101, 102)))
    def cancel(self, who: str, number: int) -> None:
        row = self.slurm.cluster.jobs.get(number)
        answer = self.ask(who, "DELETE", f"/api/v1/jobs/{number}")
        after = self.slurm.cluster.jobs.get(number)
        if row is not None and after is not None and row.state != after.state:
            assert answer.status in (200, 202, 204)
            assert self.acts_for(who, row.user)

    # Clients that have jobs watched

    @rule(who=WHO, which=WHICH)
    def watch_job(self, who: str, which: int) -> None:
        """Whatever is not told is not watched."""
        live = self.slurm.live()
        if not live:
            return
        row = self.slurm.cluster.jobs[live[which % len(live)]]
        with self.running.jobs_are_old():
            body = {"job_id": str(row.number), "methods": MAIL}
            answer = self.ask(who, "POST", "/api/v1/monitors", body)
        if answer.status == 201:
            watched = row.number, datetime.fromisoformat(answer.json["submit_time"])
            assert self.sees(who, answer.json["user"])
            assert watched in self.of_this_number(who, row)
            self.watched[answer.json["id"]] = watched
        else:
            assert answer.status in {*LATER, 404}, answer.text

    @rule(who=WHO)
    def list_monitors(self, who: str) -> None:
        answer = self.ask(who, "GET", "/api/v1/monitors?limit=1000")
        if self.is_told(answer):
            assert all(self.sees(who, each["user"]) for each in answer.json["monitors"])

    # Admins

    @rule(who=WHO)
    def revoke_a_token(self, who: str) -> None:
        """Another is made at once; the old one opens nothing a second later."""
        old = self.tokens[who]
        self.running.tokens.revoke(old.split("_")[1], self.running.now())
        self.revoked.append(old)
        self.tokens[who] = self.running.make_token(*CLIENTS[who])[0]
        self.made[who] += 1

    # Jobs

    @rule(which=WHICH)
    def begin_job(self, which: int) -> None:
        for number in self.one_of(self.slurm.live(), which):
            self.slurm.begin(number)

    @rule(which=WHICH, state=st.sampled_from(ENDS))
    def end_job(self, which: int, state: str) -> None:
        for number in self.one_of(self.slurm.live(), which):
            self.slurm.end(number, state)

    @rule(which=WHICH, is_cleaned_up=st.booleans())
    def requeue_job(self, which: int, is_cleaned_up: bool) -> None:
        for number in self.one_of(self.slurm.live(), which):
            self.slurm.requeue(number, is_cleaned_up=is_cleaned_up)

    @rule(which=WHICH)
    def what_is_cleaned_up_goes_on(self, which: int) -> None:
        for number in self.one_of(sorted(self.slurm.cleaned), which):
            self.slurm.clean_up(number)

    @rule(which=WHICH, is_heard=st.booleans())
    def forget_a_job_that_ended(self, which: int, is_heard: bool) -> None:
        """The accounting may hear of its end later still.

        slurmctld keeps them for minutes: none whose key is open is forgotten so soon.
        """
        if is_heard:
            self.slurm.history.settle()
        if not self.running.journal.unsettled():
            rows = self.slurm.cluster.jobs
            for number in self.one_of([n for n, j in rows.items() if j.state.is_terminal], which):
                self.slurm.cluster.forget(number)

    @rule(goes_on=st.booleans(), state=st.sampled_from(ENDS))
    def slurmctld_loses_its_memory(self, goes_on: bool, state: str) -> None:
        """Where it goes on, a job of today's gets the number of one of yesterday's, and ends."""
        if not self.slurm.may_begin_anew or self.running.journal.unsettled():
            return
        self.slurm.begin_anew()
        for key in range(2 if goes_on else 0):
            self.running.pass_time()
            self.running.watch()
            self.submit("ann", key, "none")
            for number in self.slurm.live()[:1]:
                self.slurm.end(number, state)

    @rule()
    def the_accounting_hears(self) -> None:
        self.slurm.history.settle()

    # Faults and time

    @rule()
    def slurm_goes_silent(self) -> None:
        self.is_troubled = True
        self.slurm.go_silent()

    @rule()
    def the_accounting_goes_silent(self) -> None:
        self.is_troubled = True
        self.slurm.history.go_down()

    @rule()
    def all_answer_again(self) -> None:
        self.slurm.answer()
        self.running.pass_time()
        for _ in range(2):  # the first finds out that the accounting answers
            with self.running.jobs_are_old():
                self.ask("admin", "GET", "/api/v1/jobs/998")
        self.is_troubled = False

    @rule()
    def what_is_late_arrives(self) -> None:
        self.slurm.queue.arrive()

    @rule()
    def time_passes(self) -> None:
        self.running.pass_time()

    @rule()
    def restart_the_gateway(self) -> None:
        self.running.restart()

    @rule()
    def the_gateway_settles(self) -> None:
        self.running.settle()

    @rule()
    def the_gateway_looks_at_watched_jobs(self) -> None:
        self.running.watch()

    @rule(mood=MOODS)
    def the_gateway_posts(self, mood: str) -> None:
        self.running.post(mood)
        count(f"gateway walks: post while the relay {mood}")

    @rule(which=WHICH, state=st.sampled_from(ENDS), mood=MOODS, is_seen=st.booleans())
    def a_watched_job_ends(self, which: int, state: str, mood: str, is_seen: bool) -> None:
        """As it mostly goes: all of it in its order; or nobody sees it, and it is heard of late."""
        live, rows = self.slurm.live(), self.slurm.cluster.jobs
        watched = [n for n in live if (n, rows[n].submitted) in self.watched.values()]
        for number in self.one_of(watched, which):
            self.slurm.end(number, state)
            if not (is_seen or self.running.journal.unsettled()):
                self.slurm.cluster.forget(number)
            for _ in range(2):
                self.running.pass_time()
                self.running.watch()
            self.the_gateway_posts(mood)

    # What must hold

    @invariant()
    def no_name_has_two_jobs(self) -> None:
        if hasattr(self, "slurm"):
            count("gateway walks: steps looked at")
            assert {name: n for name, n in self.slurm.named.items() if n > 1} == {}

    @invariant()
    def no_managed_job_runs_twice(self) -> None:
        if hasattr(self, "slurm"):
            assert all(len(self.slurm.live_of(each)) <= 1 for each in self.slurm.by_place)

    @invariant()
    def no_letter_is_taken_twice_without_a_kill(self) -> None:
        if hasattr(self, "running"):
            taken = Counter(letter.message_id for letter in self.running.relay.taken)
            lost = Counter(self.running.relay.lost)
            assert {each: n for each, n in taken.items() if n > 1 + lost[each]} == {}

    @invariant()
    def no_defect_was_met(self) -> None:
        if hasattr(self, "running"):
            crashed = [e.fields for e in self.running.gateway.told if e.name.endswith(".crashed")]
            assert crashed == []

    def teardown(self) -> None:
        if hasattr(self, "running"):
            try:
                self._end()
            finally:
                self.running.close()

    def _end(self) -> None:
        """Let all answer, every job end and be heard of, and every letter go."""
        self.running.restart()
        for token in self.revoked:
            assert self.running.ask(token, "GET", "/api/v1/jobs").status == 401
        self.all_answer_again()
        self.running.settle()
        assert self.running.journal.unsettled() == ()
        assert self.running.tasks.unsettled() == ()
        self._end_app_jobs()
        for wish in [*self.wishes.values()]:
            if wish.token == self.tokens[wish.who]:  # who else had a job of that name is gone
                assert self.hand_in(wish).status in (200, 201, 400)
                assert self.slurm.named[wish.name] == 1, wish
        for number in self.slurm.live():
            self.slurm.end(number, "COMPLETED")
        self.slurm.repair()
        for _ in range(3):
            self.running.pass_time()
            self.running.watch()
        for _ in range(len(self.running.letters.kept) + 1):
            self.running.post("takes")
        self.assert_told_the_truth()
        self.no_name_has_two_jobs()
        self.no_letter_is_taken_twice_without_a_kill()
        self.no_defect_was_met()

    def _end_app_jobs(self) -> None:
        """None is half made or removed, none runs that nobody knows of, and each is told so."""
        jobs = self.running.app_jobs
        assert list(jobs.unsettled()) == []
        kept = {self.place_of(job): job for job in jobs.jobs.values()}
        assert {place for place in self.slurm.by_place if self.slurm.live_of(place)} <= {*kept}
        for place, job in kept.items():
            assert self.slurm.tree.holds(place)
            told = self.ask_of_app_job(job, "GET").json
            assert told["started"] == bool(self.slurm.live_of(place)), told
            assert self.change_app_job(job, "DELETE").status == 204
