"""Nobody is whom he says he is: a job runs as a listed user of that very name, or there is none."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documented import documented
from tests.gateway_client import Asked, Client
from tests.laws.test_door_laws import HOSTILE
from tests.trust.hostile import ANY_TEXT, fuzzed
from tests.trust.size import count
from tests.unit.gateway.site import Everybody, GatewaySite, means_by, somebody
from tests.unit.gateway.submits.desk import Desk
from waldur_slurm.gateway.doors import people
from waldur_slurm.gateway.doors.people import People
from waldur_slurm.gateway.doors.principals import Principal, RunAs
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.app import application
from waldur_slurm.model.names import UserName

USERS = {"root": 0, "slurm": 64030, "daemon": 1, "gateway": 990, "ann": 1001, "bob": 1002}
MAY_BE_ACTED_AS = ("ann", "bob")
GROUP = "physics"
"""Ann's."""


class LenientNames:
    """A name service that takes capitals, blanks, `+` and numbers for whoever might be meant."""

    def getpwnam(self, name: str) -> SimpleNamespace:
        plain = name.strip("\0 \n+").casefold().partition("@")[0]
        user = next((user for user, uid in USERS.items() if plain in (user, str(uid))), None)
        if user is None:
            raise KeyError(name)
        return SimpleNamespace(pw_name=user, pw_uid=USERS[user], pw_gid=USERS[user])

    def getgrgid(self, gid: int) -> SimpleNamespace:
        return SimpleNamespace(gr_name=GROUP if gid == USERS["ann"] else "nobodys")


SHAPES = (
    "{}", "{}+", "+{}", "{}\0", " {}", "{}\n", "{}$", "{}@far", "#{}", "0{}", "{}\u200b",
    "{0},{0}", "@{}", "--{}", "{}\u0301",
)  # fmt: skip
LIKE_NAMES = st.builds(
    lambda shape, user, change: change(shape.format(user)),
    st.sampled_from(SHAPES),
    st.sampled_from([*USERS, *map(str, USERS.values())]),
    st.sampled_from([str, str.upper, str.title, lambda name: name.replace("a", "\u0430")]),
)
CLAIMS = st.sampled_from(MAY_BE_ACTED_AS) | LIKE_NAMES | HOSTILE | ANY_TEXT
NAMES = CLAIMS.map(UserName)
PRINCIPALS = st.builds(
    replace,
    st.just(somebody()),
    user=st.none() | NAMES,
    run_as=st.builds(
        RunAs,
        st.frozensets(NAMES, max_size=3),
        st.sets(st.just(GROUP)).map(frozenset),
        st.booleans(),
    ),
)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The gateway's own checks, and not the names', decide who is acted as."""
    monkeypatch.setattr(people, "pwd", LenientNames())
    monkeypatch.setattr(people, "grp", LenientNames())
    monkeypatch.setattr(os, "getgrouplist", lambda _name, gid: [gid])
    return Desk()


def test_a_claim_is_a_listed_user_to_the_letter_or_nobody(desk: Desk) -> None:
    asks = Everybody(somebody())
    site = GatewaySite(
        cluster=desk.cluster,
        means_of=means_by(desk.queue),
        people=People(1000, 60_000, "slurm", own_uid=USERS["gateway"]),
        jobs_ttl=timedelta(0),
    )
    client = Client(documented(application(site.site, asks, frozenset(Surface))))

    @fuzzed(400, 40_000)
    @given(PRINCIPALS, CLAIMS)
    def check(principal: Principal, claim: str) -> None:
        desk.queue.jobs.clear()
        body = json.dumps({"user": claim, "script": "#!/bin/sh\n"}).encode()
        asks.principal = principal
        answer = client.ask(Asked("/api/v1/jobs", "POST", body=body))

        said = claim or principal.user
        groups = {GROUP} if said == "ann" else set()
        may = said == principal.user or principal.run_as.takes(UserName(said or ""), groups)
        count(f"claim of a user: {answer.status}")
        if may and said in MAY_BE_ACTED_AS:
            assert (answer.status, [job.user for job in desk.queue.jobs]) == (201, [said])
        else:
            assert (answer.status in (400, 403), desk.queue.jobs) == (True, []), answer.body
            assert answer.json["type"].partition("problem:")[2] in ("denied", "wrong-ask")

    check()
