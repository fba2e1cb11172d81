"""Every recorded exchange of Slurmer, on a real Slurm, by a real hand: alike, or meant otherwise.

Each difference has its line below, by number; docs/gateway-compatibility.md says why.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.slurm import ClusterOptions
from tests.e2e.gateway.acting import ActingSite
from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.slurmer_recorded import Exchange, Other, Replay, content, exchanges
from tests.e2e.gateway.slurmer_site import APP, CONFIG, Slurmer, SlurmerSite
from tests.e2e.gateway.test_people import Served, serving
from tests.e2e.program import eventually
from tests.fakes.issuer import FakeIssuer, made, signed
from tests.fixtures_hand import HandSite
from tests.fixtures_slurm import NewCluster

EXCHANGES = {each.number: each for each in exchanges()}

WRONG, FORBIDDEN, ABSENT = "Bad Request\n", "Forbidden\n", "Not Found\n"
CONFLICT, REFUSED, NOT_NOW = "Conflict\n", "Unprocessable Entity\n", "Service Unavailable\n"

OTHERS = {
    20: Other(400, WRONG),  # two headers User
    25: Other(404, ABSENT),  # another's job
    52: Other(200, ""),  # what the user may write, the hand does
    54: Other(415, "Unsupported Media Type\n"),
    55: Other(400, WRONG),  # no part job_dir; the original cut the connection
    57: Other(400, WRONG),
    58: Other(400, WRONG),  # a member with ..
    59: Other(200, ""),  # a folder without an entry of its own is made
    60: Other(400, WRONG),  # a link
    73: Other(403, FORBIDDEN),
    74: Other(403, FORBIDDEN),
    75: Other(403, FORBIDDEN),
    78: Other(204, ""),  # a comment with a blank
    80: Other(422, REFUSED),  # an option in an account
    90: Other(409, CONFLICT),  # prune while it runs
    91: Other(404, ABSENT),  # another's job
    99: Other(422, REFUSED),  # Slurm refuses
    100: Other(422, REFUSED),
    101: Other(200, '"started"\n'),  # no other job's failure holds it up
    113: Other(200, "gone\n"),  # after MinJobAge
}


@pytest.fixture
def forgetful(
    new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...], hand_site: HandSite
) -> Iterator[SlurmerSite]:
    """A Slurm that forgets ended jobs soon."""
    cluster = new_slurm_cluster(ClusterOptions(slurm_conf={"MinJobAge": "2"}))
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in slurm_users[:2]:
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    acting = ActingSite.make(cluster, hand_site)
    site = SlurmerSite.make(acting)
    yield site
    site.close()
    acting.close()


def state_of(slurmer: Slurmer, job: str) -> str:
    found = slurmer.send("GET", job).json["slurm_job"]
    return str(found["job_state"]) if found else ""


class Play:
    """One line after the other; `before` waits for the state that a line was recorded in."""

    def __init__(self, site: SlurmerSite, replay: Replay) -> None:
        self.site, self.replay = site, replay
        self.differences: list[str] = []
        self.before: dict[int, Callable[[str], None]] = {
            40: self.ends,
            47: self.ends,
            48: self.ends,
            88: self.runs,
            92: self.is_stopped_by_its_owner,
            93: self.ends,
            102: self.ends,
            103: self.ends,
            112: self.is_forgotten,
        }

    def line(self, number: int) -> Answer:
        exchange = EXCHANGES[number]
        if number in self.before:
            self.before[number](self.replay.where(exchange))
        answer = self.replay.ask(exchange)
        self.compare(exchange, answer)
        return answer

    def compare(self, exchange: Exchange, answer: Answer) -> None:
        other = OTHERS.get(exchange.number)
        difference = self.replay.difference(exchange, answer, other)
        self.differences += [f"{exchange.number}: {difference}"] if difference else []

    def ends(self, job: str) -> None:
        eventually(lambda: self.replay.slurmer.status(job) == "stopped", "it has ended")

    def runs(self, job: str) -> None:
        eventually(lambda: state_of(self.replay.slurmer, job) == "RUNNING", "it runs")

    def is_stopped_by_its_owner(self, job: str) -> None:
        assert self.replay.slurmer.send("PUT", f"{job}/stop").status == 204

    def is_forgotten(self, job: str) -> None:
        self.ends(job)
        number = self.replay.slurmer.send("GET", job).json["slurm_id"]
        eventually(lambda: str(number) not in self.listed(), "slurmctld has forgotten it", 120)

    def listed(self) -> list[str]:
        lab = self.site.acting.lab
        return lab.must("squeue", "--noheader", "--all", "--states=all", "--format=%A").split()


SPECIAL = {21, 81, 89, 92, 108, 112}
"""Lines that are looked at by themselves."""


def test_every_recorded_exchange_is_answered_as_it_was_but_for_what_is_meant(
    forgetful: SlurmerSite,
) -> None:
    with forgetful.running() as slurmer:
        play = Play(forgetful, Replay(slurmer, forgetful.token("--scopes", "apps:admin")))
        for number in range(116):
            if number not in SPECIAL:
                play.line(number)
            else:
                look_at(play, number)

        assert play.differences == []


def look_at(play: Play, number: int) -> None:
    replay, exchange = play.replay, EXCHANGES[number]
    if number in play.before:
        play.before[number](replay.where(exchange))
    if number == 89:
        eventually(lambda: b"it's " in replay.ask(exchange).body, "it wrote its output")
        return
    answer = replay.ask(exchange)
    assert answer.headers.get("content-type") == "application/json", answer
    found = answer.json
    if number == 21:
        assert answer.status == 201
        assert replay.slurmer.send("DELETE", f"/apps/{APP}/jobs/{found['id']}").status == 200
    elif number == 81:
        assert (found["status"], found["slurm_id"], found["slurm_job"]) == ("stopped", 0, None)
    elif number == 92:
        assert found["slurm_id"] == replay.numbers[9]
    elif number == 108:
        recorded = [replay.ids[job["id"]] for job in exchange.json]
        assert [job["id"] for job in found] == recorded[:-1], "the original keeps a deleted one"
        assert all(
            replay.slurmer.send("GET", f"/apps/{APP}/jobs/{job['id']}").json == job for job in found
        )
    elif number == 112:
        assert (found["status"], found["slurm_id"]) == ("stopped", replay.numbers[12])
        assert found["slurm_job"]["job_state"] == "COMPLETED"


AUDIENCE = "slurmer"
OIDC_ON = """\
oidc:
  enabled: true
  issuer: {issuer}
  audience: slurmer
"""
TOKENS: dict[str, dict[str, Any]] = {
    "other audience": {"aud": "else"},
    "audience list that holds it": {"aud": ["else", AUDIENCE]},
    "expired": {"exp": 1_000_000_000},
    "other issuer": {"iss": "http://127.0.0.1:1"},
}
"""What the tokens of those lines say otherwise."""


def token_for(case: str, issuer: str) -> str:
    said = case.rpartition(", ")[2]
    if said in ("Basic", "garbage"):
        return {"Basic": "Basic YTpi", "garbage": "Bearer garbage"}[said]
    claims = {"iss": issuer, "aud": AUDIENCE, "sub": "client@clients", "exp": time.time() + 300}
    key = made("P-256", 1 if said == "signed by another key" else 0)
    word = "bearer" if said.endswith("lower-case bearer") else "Bearer"
    return f"{word} {signed(claims | TOKENS.get(said, {}), key, 'ES256', kid='P-256-0')}"


def test_every_recorded_line_of_the_issuer_is_answered_as_it_was_but_for_what_is_meant(
    forgetful: SlurmerSite,
) -> None:
    """The admin's token is beside the issuer's, which alone let everybody do everything."""
    others = {128: Other(404, "404 page not found\n"), 129: Other(200)}
    with serving(Served(FakeIssuer(keys=[made("P-256")]))) as issuer:
        config = CONFIG.partition("oidc:")[0] + OIDC_ON.replace("{issuer}", issuer)
        with forgetful.running(config) as slurmer:
            admin = forgetful.token("--scopes", "apps:admin")
            replay = Replay(slurmer, admin)
            differences = []
            for number in range(116, 130):
                exchange = EXCHANGES[number]
                shown = token_for(exchange.case, issuer)
                answer = replay.ask(exchange, Authorization=shown)
                if answer.status == others.get(number, Other(exchange.response["status"])).status:
                    is_text = answer.status != 200
                    is_same = (
                        not is_text or number == 128 or answer.body == content(exchange.response)
                    )
                    differences += [] if is_same else [f"{exchange.case}: {answer.body!r}"]
                else:
                    differences.append(f"{exchange.case}: {answer}")
            assert differences == []


def test_a_slurmctld_that_is_away_ends_no_job_and_starts_none_twice(
    forgetful: SlurmerSite,
) -> None:
    """The lines from 130 on: the original forgets the job, and starts it again beside itself."""
    lab = forgetful.acting.lab
    with forgetful.running() as slurmer:
        replay = Replay(slurmer, "")
        for number in (130, 131):
            exchange = EXCHANGES[number]
            assert replay.difference(exchange, replay.ask(exchange), None) == ""
        job = replay.where(EXCHANGES[132])
        eventually(lambda: state_of(slurmer, job) == "RUNNING", "it runs")
        number = slurmer.send("GET", job).json["slurm_id"]

        lab.stop_daemon("slurmctld")
        try:
            away = slurmer.send("GET", job).json
            assert (away["status"], away["slurm_id"]) == ("started", number)
            assert slurmer.send("PUT", f"{job}/start").status in (204, 503)
            assert slurmer.send("PUT", f"{job}/stop").body == NOT_NOW.encode()
            assert slurmer.send("DELETE", job).body == NOT_NOW.encode()
            assert slurmer.status(job) == "started"
        finally:
            lab.start_daemon("slurmctld")

        eventually(lambda: slurmer.send("GET", job).json["slurm_job"] is not None, "it is back")
        back = slurmer.send("GET", job).json
        assert (back["status"], back["slurm_id"]) == ("started", number)
        assert len(lab.must("squeue", "--noheader", "--all").splitlines()) == 1
