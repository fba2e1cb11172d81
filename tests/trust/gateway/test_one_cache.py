"""One cache for all eyes: each is shown what an uncached reading of his own would show him.

Jobs come and go between the requests of several principals, who show each other's ETags too. What
each is answered is compared with a gateway that has just been started for him alone, and with who
may see what as it is worked out here.
"""

import asyncio
import gzip
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.fakes.cluster import FakeCluster, live_job
from tests.fakes.past import past_run
from tests.gateway_client import Answered, Asked
from tests.trust.size import count, size
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.tasks.task import Reading
from waldur_slurm.gateway.web.routes import ROUTES
from waldur_slurm.gateway.web.seeds.proxy_site import Proxy
from waldur_slurm.model.names import UserName

USERS = ("ann", "bob", "kim")
EYES = {
    "admin": ADMIN,
    "ann": somebody("ann"),
    "another of ann's": somebody("ann"),
    "bob": somebody("bob"),
    "ann and bob": somebody("ann", "bob"),
    "nobody's": somebody(),
}
LISTED = (
    "/api/v1/jobs",
    "/api/v1/jobs?limit=2",
    "/api/v1/jobs?user=ann",
    "/api/v1/jobs?user=bob&sort=priority",
    "/api/v1/jobs?state=RUNNING",
    "/api/v1/jobs?fields=job_id,user",
)
LISTS = st.sampled_from(LISTED)
EYE = st.sampled_from(sorted(EYES))
NUMBERS = st.integers(1, 6)
NO_LISTS = {"/api/v1/events", "/metrics", "/api/v1/openapi.json", "/docs"}
ANYWHERE = sorted(
    {route.path for route in ROUTES if route.method == "GET" and "{" not in route.path} - NO_LISTS
)
"""All that is looked at without an end, and by no name of one thing."""


def said(answer: Answered) -> Any:
    """What an answer says, but for what differs between two readings of the same."""
    if answer.status != 200:
        return answer.status, answer.json["type"]
    return answer.json["total"], [of_a_job(job) for job in answer.json["jobs"]]


def of_a_job(job: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in job.items() if name != "times"}  # which go on


def fresh(cluster: FakeCluster, path: str, principal: Principal) -> Answered:
    return GatewaySite(cluster=cluster).get(path, principal)


class Eyes(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.site = GatewaySite()
        self.clients = {eye: self.site.client(principal) for eye, principal in EYES.items()}
        self.runner = asyncio.Runner()
        self.etags: dict[str, tuple[str, str]] = {}
        self.cursors: dict[str, tuple[str, str]] = {}

    @rule(number=NUMBERS, user=st.sampled_from(USERS), priority=st.integers(0, 3))
    def submit(self, number: int, user: str, priority: int) -> None:
        job = live_job(number, user=UserName(user), name=f"of {user}", priority=priority)
        self.site.cluster.put(job)
        self.site.pictures.jobs.forget()

    @rule(number=NUMBERS)
    def begin(self, number: int) -> None:
        if number in self.site.cluster.jobs:
            self.site.cluster.begin(number)
            self.site.pictures.jobs.forget()

    @rule(number=NUMBERS)
    def vanish(self, number: int) -> None:
        self.site.cluster.jobs.pop(number, None)
        self.site.pictures.jobs.forget()

    @rule(path=LISTS, eye=EYE)
    def look(self, path: str, eye: str) -> None:
        answer = self._ask(path, eye)

        assert said(answer) == said(fresh(self.site.cluster, path, EYES[eye]))
        assert {job["user"] for job in answer.json["jobs"]} <= self._seen_by(eye)
        self._note(path, eye, answer)

    @rule(path=LISTS, eye=EYE)
    def look_at_it_packed(self, path: str, eye: str) -> None:
        answer = self._ask(path, eye, accept_encoding="gzip")
        is_packed = answer.headers.get("content-encoding") == "gzip"
        body = gzip.decompress(answer.body) if is_packed else answer.body

        plain = replace(answer, body=body)
        assert said(plain) == said(fresh(self.site.cluster, path, EYES[eye]))
        self._note(path, eye, plain)

    @rule(path=st.sampled_from(ANYWHERE), eye=EYE)
    def look_anywhere(self, path: str, eye: str) -> None:
        """Jobs are named for their users: no page, list or table shows anothers' name."""
        answer = self._ask(path, eye)

        assert answer.status != 500, path
        hidden = {user for user in USERS if user not in self._seen_by(eye)}
        assert [user for user in hidden if f"of {user}".encode() in answer.body] == [], path
        count("look with other eyes: at all that is listed")

    @rule(number=NUMBERS, eye=EYE)
    def look_at_one(self, number: int, eye: str) -> None:
        """Another's job is as one that is not there."""
        job = self.site.cluster.jobs.get(number)
        is_seen = job is not None and job.user in self._seen_by(eye)
        self.site.pictures.jobs.forget()  # what is not in the list is looked for in a newer one

        assert self._ask(f"/api/v1/jobs/{number}", eye).status == (200 if is_seen else 404)

    @rule(eye=EYE, shown=EYE)
    def show_anothers_etag(self, eye: str, shown: str) -> None:
        """Show it: it is good for those who see the same, and for no other."""
        if shown not in self.etags:
            return
        its_path, etag = self.etags[shown]
        answer = self._ask(its_path, eye, if_none_match=etag)

        see_the_same = EYES[eye].sees_only == EYES[shown].sees_only
        assert answer.status == 200 or see_the_same
        if answer.status == 304:
            assert answer.body == b""
        else:
            assert said(answer) == said(fresh(self.site.cluster, its_path, EYES[eye]))

    @rule(eye=EYE, shown=EYE)
    def go_on_where_another_stopped(self, eye: str, shown: str) -> None:
        if shown not in self.cursors:
            return
        path, cursor = self.cursors[shown]
        answer = self._ask(f"{path}&cursor={cursor}", eye)

        see_the_same = EYES[eye].sees_only == EYES[shown].sees_only
        assert answer.status == (200 if see_the_same else 400)

    def teardown(self) -> None:
        self.runner.close()
        assert self.site.errors() == []

    @staticmethod
    def _seen_by(eye: str) -> set[str]:
        return set(USERS) if eye == "admin" else set(USERS) & set(EYES[eye].own_users)

    def _ask(self, path: str, eye: str, **headers: str) -> Answered:
        """Ask within one loop, as all requests of a gateway are: a reading outlives its asker."""
        count("look with other eyes")
        asked = Asked(path, headers=[(name.replace("_", "-"), headers[name]) for name in headers])
        return self.runner.run(self.clients[eye].one(asked))

    def _note(self, path: str, eye: str, answer: Answered) -> None:
        etag = answer.headers["etag"]
        for other, (its_path, its_etag) in self.etags.items():
            if EYES[other].sees_only != EYES[eye].sees_only:
                assert its_etag != etag, (path, its_path)
        self.etags[eye] = path, etag
        if answer.json["next"] and path.endswith("limit=2"):
            self.cursors[eye] = path, answer.json["next"]


def test_two_who_see_otherwise_share_nothing_of_one_picture() -> None:
    """Each pair, one after the other: what walks meet by chance is met here each time."""
    eyes = Eyes()
    eyes.start()
    for number, user in enumerate(USERS, 1):
        eyes.submit(number, user, 0)
    try:
        for path in LISTED[:3]:
            for first, second in combinations(EYES, 2):
                eyes.look(path, first)
                eyes.show_anothers_etag(second, first)
                eyes.look_at_it_packed(path, second)
    finally:
        eyes.teardown()


@pytest.mark.parametrize("path", ["/monitor/slurm_job_state/COMPLETED", "/api/v1/history"])
def test_the_accounting_is_not_asked_once_for_two_who_see_otherwise(path: str) -> None:
    """Equal questions of the same moment are one, but for whom each is asked is a part of it."""
    site = GatewaySite()
    site.site = replace(site.site, proxy=Proxy(Reading.DOCUMENT))
    now = datetime.now(UTC).replace(microsecond=0)
    for number, user in enumerate(USERS, 1):
        site.history.runs.append(past_run(number, user=UserName(user), end=now))
    site.history.settle()
    clients = [site.client(EYES[eye]) for eye in ("ann", "bob", "nobody's")]

    async def at_once() -> list[Answered]:
        return await asyncio.gather(*(client.one(Asked(path)) for client in clients))

    answers = asyncio.run(at_once())

    assert [answer.status for answer in answers] == [200, 200, 200]
    seen = [[job["user"] for job in answer.json["jobs"]] for answer in answers]
    assert seen == [["ann"], ["bob"], []]


Eyes.TestCase.settings = settings(
    max_examples=size(30, 2_000), stateful_step_count=30, deadline=None
)
TestEyes = Eyes.TestCase
