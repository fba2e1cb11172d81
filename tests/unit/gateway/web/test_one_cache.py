"""One cache for all eyes: whoever asks is told what an uncached reading, cut to him, would tell.

A machine mixes who asks, what changes and when pictures are taken anew. Beside the gateway it keeps
the jobs that each picture can have, and works out by itself who should see what.
"""

from collections.abc import Mapping
from urllib.parse import quote

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.fakes.cluster import live_job
from tests.gateway_client import Answered
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName

USERS = [UserName(name) for name in ("ann", "bob", "eve")]
EYES: Mapping[str, Principal] = {
    "admin": ADMIN,
    "ann": somebody("ann"),
    "bob": somebody("bob"),
    "ann and bob": somebody("ann", "bob"),
    "nobody's": somebody(),
}
QUERIES = ("", "state=RUNNING", "user=ann", "user=bob,eve", "sort=user", "fields=job_id,user")

eyes = st.sampled_from(sorted(EYES))
queries = st.sampled_from(QUERIES)
numbers = st.integers(1, 12)


class OneCache(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.site = GatewaySite()
        self.site.pictures.jobs.ttl_s = 3600.0
        for number in range(1, 7):
            self.submit(number, USERS[number % 3])
        self.pictured: dict[int, LiveJob] = {}
        self.etags: dict[str, str] = {}
        self.cursors: list[tuple[str, str, str]] = []

    # What changes

    @rule(number=numbers, user=st.sampled_from(USERS))
    def submit(self, number: int, user: UserName) -> None:
        self.site.cluster.put(live_job(number, user=user, name=f"of {user}"))

    @rule(number=numbers)
    def run_or_finish(self, number: int) -> None:
        job = self.site.cluster.jobs.get(number)
        if job:
            (self.site.cluster.finish if job.hosts else self.site.cluster.begin)(number)

    @rule(number=numbers)
    def forget(self, number: int) -> None:
        self.site.cluster.jobs.pop(number, None)

    @rule()
    def take_a_new_picture(self) -> None:
        self.site.pictures.jobs.forget()

    # Who asks

    def ask(self, eye: str, path: str, **headers: str) -> Answered:
        readings = self.site.cluster.calls["read_jobs"]
        answer = self.site.get(path, EYES[eye], **headers)
        if self.site.cluster.calls["read_jobs"] > readings:
            self.pictured = dict(self.site.cluster.jobs)
        return answer

    def expected(self, eye: str, query: str) -> set[str]:
        """Work it out anew from the jobs in the picture."""
        named = {"user=ann": {"ann"}, "user=bob,eve": {"bob", "eve"}}.get(query)
        mine = EYES[eye].sees_only
        return {
            str(job.id)
            for job in self.pictured.values()
            if (mine is None or job.user in mine)
            and (named is None or job.user in named)
            and (query != "state=RUNNING" or job.state.base == "RUNNING")
        }

    @rule(eye=eyes, query=queries, packs=st.booleans())
    def list_jobs(self, eye: str, query: str, packs: bool) -> None:
        path = f"/api/v1/jobs?limit=100&{query}"
        answer = self.ask(eye, path, **({"accept_encoding": "gzip"} if packs else {}))
        assert answer.status == 200
        if answer.headers.get("content-encoding") != "gzip":
            found = {job["job_id"] for job in answer.json["jobs"]}
            assert found == self.expected(eye, query)
            assert answer.json["total"] == len(found)
        self.etags[answer.headers["etag"]] = EYES[eye].visibility

    @rule(eye=eyes, query=queries)
    def nobody_has_anothers_etag(self, eye: str, query: str) -> None:
        """An ETag of somebody who sees something else is answered as if there were none."""
        for etag, visibility in [*self.etags.items()]:
            answer = self.ask(eye, f"/api/v1/jobs?limit=100&{query}", if_none_match=etag)
            if answer.status == 304:
                assert visibility == EYES[eye].visibility
            else:
                assert answer.headers["etag"] != etag

    @rule(eye=eyes, number=numbers)
    def show_one(self, eye: str, number: int) -> None:
        self.take_a_new_picture()
        answer = self.ask(eye, f"/api/v1/jobs/{number}")
        is_seen = str(number) in self.expected(eye, "")
        assert answer.status == (200 if is_seen else 404)

    @rule(eye=eyes, query=queries)
    def begin_pages(self, eye: str, query: str) -> None:
        answer = self.ask(eye, f"/api/v1/jobs?limit=1&{query}")
        if answer.json["next"]:
            self.cursors.append((EYES[eye].visibility, query, answer.json["next"]))

    @precondition(lambda self: self.cursors)
    @rule(data=st.data(), eye=eyes)
    def go_on_with_a_cursor(self, data: st.DataObject, eye: str) -> None:
        visibility, query, cursor = data.draw(st.sampled_from(self.cursors))
        answer = self.ask(eye, f"/api/v1/jobs?limit=100&{query}&cursor={quote(cursor)}")
        if visibility != EYES[eye].visibility:
            assert answer.status == 400
        else:
            assert answer.status == 200
            assert {job["job_id"] for job in answer.json["jobs"]} <= self.expected(eye, query)

    @invariant()
    def nothing_crashed(self) -> None:
        assert self.site.errors() == []


OneCache.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOneCacheForAllEyes = OneCache.TestCase
