"""What a walk before a gateway knows, and how it asks: the model that answers are compared with."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hypothesis.stateful import RuleBasedStateMachine

from tests.fakes.files import FakeTree
from tests.gateway_client import Answered
from tests.trust.gateway_walks.running import APP, Running, places
from tests.trust.gateway_walks.slurm import Identity, Slurm
from tests.trust.size import count
from tests.unit.gateway.site import EVERYTHING
from tests.unit.gateway.tasks.makers import hello
from waldur_slurm.gateway.apps.job import ManagedJob
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.post.letter import Occasion, Stage
from waldur_slurm.model.live import LiveJob

MAIL = {"email": {"recipient": "ann@example.org"}}
MINE = EVERYTHING - {Scope.JOBS_READ_ALL}
CLIENTS: Mapping[str, tuple[frozenset[Scope], str]] = {
    "ann": (MINE, "ann"),
    "bob": (MINE, "bob"),
    "portal": (MINE, "ann,bob"),
    "admin": (EVERYTHING, "any"),
}
"""What each may, and as whom."""

SEES: Mapping[str, frozenset[str] | None] = {
    "ann": frozenset({"ann"}),
    "bob": frozenset({"bob"}),
    "portal": frozenset({"ann", "bob"}),
    "admin": None,
}
APP_JOBS = f"/api/v1/apps/{APP.id}/jobs"
LATER = {409, 503, 504}
"""What asks to come again."""


@dataclass(frozen=True)
class Wish:
    """One job that somebody wants: natively by a key, or as a task, whose uuid is its name's."""

    name: str
    who: str
    token: str
    key: str = ""
    surface: str = ""

    @property
    def user(self) -> str:
        return "bob" if self.who == "bob" else "ann"

    @property
    def request(self) -> tuple[str, object]:
        if self.key:
            script, options = "#!/bin/sh\ntrue\n", {"job-name": self.name}
            return "/api/v1/jobs", {"script": script, "options": options, "user": self.user}
        task = task_of(self.name, self.user)
        return ("/api/v1/tasks", task) if self.surface == "native" else ("/submit/", {"task": task})


class Walker(RuleBasedStateMachine):
    """The jobs that were listed last, who sees whose, what each name has, what is watched."""

    def set_out(self) -> None:
        jobs = places().root / "applications"
        self.slurm = Slurm(tree=FakeTree(roots=("/home/ann", str(jobs))))
        for path in (jobs / APP.id, jobs / APP.id / "jobs"):
            self.slurm.tree.add(str(path), "directory")
        self.running = Running(self.slurm)
        self.tokens = {who: self.running.make_token(*CLIENTS[who])[0] for who in CLIENTS}
        self.wishes: dict[str, Wish] = {}
        """What was ever asked for, by its name."""
        self.revoked: list[str] = []
        self.told: dict[str, str] = {}
        """The job that was told with a name; a name stands for one key of one client's."""
        self.watched: dict[str, Identity] = {}
        """Monitors, and the very job of each."""
        self.made: Counter[str] = Counter()
        """How many tokens each client has had: another token is another owner of keys."""
        self.is_troubled = False

    def ask(
        self, who: str, method: str, path: str, body: object = None, key: str = "", tag: str = ""
    ) -> Answered:
        headers = {"idempotency-key": key, "if-none-match": tag}
        answer = self.running.ask(self.tokens[who], method, path, body, **headers)
        count(f"gateway walks: answers with {answer.status}")
        assert answer.status < 500 or answer.status in LATER, answer.text
        if answer.status in LATER and not self.is_troubled:
            is_open = bool(self.running.journal.unsettled())
            assert is_open or self.slurm.has_begun_anew or answer.status == 409, answer.text
        return answer

    def is_told(self, answer: Answered) -> bool:
        assert answer.status in (200, *LATER), answer.text
        return answer.status == 200

    @contextmanager
    def mishap(self, mishap: str) -> Iterator[None]:
        """Let something go wrong while one request is carried out."""
        count(f"gateway walks: submits, {mishap}")
        was_troubled, queue = self.is_troubled, self.slurm.queue
        if mishap == "none":
            yield
            return
        self.is_troubled = True
        flags: dict[str, tuple[object, str, object]] = {
            "its answer is lost": (queue, "loses_answers", True),
            "it is lost": (queue, "loses_requests", True),
            "it is late": (queue, "delays_requests", True),
            "Slurm is away": (queue, "is_down", True),
            "the disk is full": (self.running.journal, "is_broken", True),
            "the app's jobs are not written": (self.running.app_jobs, "broken", "disk is full"),
        }
        owner, flag, value = flags[mishap]
        before = getattr(owner, flag)
        setattr(owner, flag, value)
        try:
            yield
        finally:
            setattr(owner, flag, before)
            self.is_troubled = was_troubled

    def hand_in(self, wish: Wish) -> Answered:
        """Ask for it, and look at what is told; slurm-proxy says 400 of what it has already."""
        self.wishes[wish.name] = wish
        path, body = wish.request
        answer = self.ask(wish.who, "POST", path, body, wish.key)
        if answer.status in (200, 201):
            told = answer.json
            self.note_told(wish.name, str(told.get("job_id") or told.get("slurm_job_id")))
        elif answer.status == 400:
            assert f"'slurm_job_id': {self.told.get(wish.name, '')}" in answer.text
        else:
            assert answer.status in LATER, answer.text
        return answer

    def change_app_job(self, job: ManagedJob, method: str, what: str = "") -> Answered:
        """Ask for it as its user, and look at what was done by what is told."""
        answer = self.ask_of_app_job(job, method, what)
        count(f"gateway walks: a job of the app, {what or 'removed'}: {answer.status}")
        place = self.place_of(job)
        live = len(self.slurm.live_of(place))
        if answer.status == 200:
            assert live == (what == "/start"), (answer.text, live)
        elif answer.status == 204:
            assert (live, self.slurm.tree.holds(place)) == (0, False)
        else:
            assert answer.status in {*LATER, 404}, answer.text
        return answer

    def ask_of_app_job(self, job: ManagedJob, method: str, what: str = "") -> Answered:
        with self.running.jobs_are_old():
            return self.ask(job.user, method, f"{APP_JOBS}/{job.id}{what}?user={job.user}")

    def place_of(self, job: ManagedJob) -> str:
        return places().directory(job.app, job.id)

    def note_told(self, name: str, job: str) -> None:
        """The same name is the same job, for ever."""
        assert self.slurm.named[name] == 1
        assert self.told.setdefault(name, job) == job

    def named(self, who: str, key: int) -> str:
        return f"{who}.{self.made[who]}-{key}"

    def listed(self, who: str) -> list[tuple[int, LiveJob]]:
        rows = self.slurm.cluster.listed.items()
        return [(number, row) for number, row in rows if self.sees(who, row.user)]

    def of_this_number(self, who: str, row: LiveJob) -> set[Identity]:
        """The job that is meant by the number of this row: it, or an older one of his own."""
        if self.sees(who, row.user):
            listed = self.slurm.cluster.listed.get(row.number, row)
            return {(row.number, each.submitted) for each in (row, listed)}
        runs = (run for run in self.slurm.history.runs if run.id.number == row.number)
        return {(row.number, run.submitted) for run in runs if self.sees(who, run.user)}

    def past_states(self, number: int) -> set[str]:
        runs = (*self.slurm.history.runs, *self.slurm.history.unheard)
        return {run.state.base for run in runs if run.id.number == number} | {"UNKNOWN"}

    def is_past(self, who: str, number: int) -> bool:
        runs = self.slurm.history.runs
        return any(run.id.number == number and self.sees(who, run.user) for run in runs)

    def sees(self, who: str, user: str) -> bool:
        seen = SEES[who]
        return seen is None or user in seen

    def acts_for(self, who: str, user: str) -> bool:
        return who == "admin" or self.sees(who, user)

    def one_of(self, numbers: list[int], which: int) -> list[int]:
        return [numbers[which % len(numbers)]] if numbers else []

    def assert_told_the_truth(self) -> None:
        letters = {(each.monitor, each.event): each for each in self.running.letters.kept.values()}
        stages = {each.stage for each in letters.values()}
        assert stages <= {Stage.DELIVERED}
        arrived = {letter.message_id for letter in self.running.relay.taken}
        tasks = (task for _, task in self.running.tasks.kept.values())
        jobs = {task.monitor: self.slurm.by_name[_job_name(task.given)] for task in tasks}
        for monitor, job in {**jobs, **self.watched}.items():
            letter = letters.get((monitor, Occasion.TERMINAL))
            assert letter is not None, (monitor, job, self.running.monitors.kept[monitor])
            assert letter.message_id in arrived
            assert letter.facts is not None
            assert letter.facts.state == self.slurm.ends[job], (letter, job)
        count("gateway walks: letters that told the truth", len(self.watched))


def task_of(name: str, user: str) -> dict[str, Any]:
    """The document's task, with a uuid that stands for the name."""
    given = hello(uuid=str(uuid5(NAMESPACE_URL, name)), username=user)
    notification = {"methods": ["email"], "params": MAIL}
    slurm = {**given["slurm"], "partition": "main", "job_name": name}
    return {**given, "slurm": slurm, "notification": notification}


def _job_name(given: Mapping[str, Any]) -> str:
    return str(given["slurm"]["job_name"])
