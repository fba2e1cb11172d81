"""All recorded exchanges of slurm-proxy, on a real Slurm, by a real hand: alike, or meant so.

Each difference has its line below, and in docs/gateway-compatibility.md, which says why.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import ActingSite
from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.proxy_recorded import Exchange, Other, Replay, exchanges, mails
from tests.e2e.gateway.proxy_site import KEY, Office, ProxySite, office, with_key
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, BOB, CALLER, HandSite
from tests.fixtures_slurm import NewCluster, open_directory
from tests.places import PROJECT

EXCHANGES = {each.number: each for each in exchanges()}
PAGE = PROJECT / "docs" / "gateway-compatibility.md"

HELLO = "123e4567-e89b-12d3-a456-426614174000"
WHERE = r'\{\n    "error": "Invalid JSON format: line \d+, column \d+: [^"]+"\n\}\n'
FAILED = r'\{\n    "error": "Failed to submit task \| [^"]+"\n\}\n'
NO_MONITOR = '\\{\n    "error": "Failed to monitor job"\n\\}\n'
EXISTS = r'\{\n    "error": "Task UUID [^ ]+ already exists in monitor database - \{.*\}"\n\}\n'
TAKEN = EXISTS.replace("Task", r"Failed to submit task \| Task")
RECORD = r'\{\n    "slurm_username": "[^"]+",\n    "slurm_job_id": \d+,\n.*"updated_at": null\n\}\n'
JOBS = r'\{\n    "jobs": \[.*\]\n\}\n'
NO_SUCH = r'\{\n    "error": "there is no such address"\n\}\n'
ONLY = r'\{\n    "error": "this address takes POST"\n\}\n'
PASSED = (
    r'\{\n    "slurm_query_username": "[^"]+",\n    "slurm_query_url": "http://127.0.0.1:\d+/slurm'
    r'(db)?/v0\.0\.38/[^"]+",\n    "response": \{\n        "meta": \{.*\}\n'
)
ERROR = r'\{\n    "error": "[^"]+"\n\}\n'

OTHERS = {
    2: Other(200, "pong"),
    3: Other(404, NO_SUCH),
    4: Other(200, r'\{\n    "uuid": "[^"]+",\n    "slurm_job_id": \d+\n\}\n'),
    5: Other(400, TAKEN),
    **dict.fromkeys((19, 20, 21), Other(400, WHERE)),
    22: Other(405, ONLY),
    29: Other(400, FAILED),
    **dict.fromkeys(range(32, 38), Other(400, FAILED)),
    **dict.fromkeys((41, 42, 44), Other(400, FAILED)),
    45: Other(403, ERROR),
    50: Other(200, RECORD),
    52: Other(400, EXISTS),
    53: Other(200, RECORD),
    54: Other(200, RECORD),
    **dict.fromkeys((59, 60), Other(400, NO_MONITOR)),
    61: Other(200, RECORD),
    62: Other(400, NO_MONITOR),
    63: Other(400, WHERE),
    66: Other(404),
    68: Other(404, NO_SUCH),
    69: Other(405, ONLY),
    **dict.fromkeys((*range(70, 77), 80), Other(200, JOBS)),
    82: Other(404),
    87: Other(
        200, r'\{\n    "slurm_username": .*\{\n        "\$oid": "[0-9a-f]{24}"\n    \}\n\}\n'
    ),
    **dict.fromkeys((*range(89, 95), 96, 97, 98), Other(200, PASSED)),
    95: Other(404, NO_SUCH),
    **dict.fromkeys((99, 100), Other(400, ERROR)),
    101: Other(400, WHERE),
}
"""By line of the file; a line that is not here is answered letter for letter as it was."""

BODIES_OF = {66: 64, 82: 81}
"""Lines that were pages of errors, and are answered as these are."""

LETTERS = {105: 39, 106: 41, 107: 43}
"""Mails of the recording, and the jobs that they are of."""


@pytest.fixture(scope="module")
def auth() -> dict[str, str]:
    return with_key(open_directory())


@pytest.fixture(scope="module")
def office_lab(
    new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...], auth: dict[str, str]
) -> Cluster:
    return office(new_slurm_cluster, auth)


@pytest.fixture
def proxy_site(office_lab: Cluster, hand_site: HandSite, tmp_path: Path) -> Iterator[ProxySite]:
    acting = ActingSite.make(office_lab, hand_site)
    yield ProxySite(acting, tmp_path)
    for user in (ANN, BOB):
        office_lab.must("scancel", f"--user={user}")
    acting.close()


class Play:
    """One line after the other; `before` sees to the state that a line was recorded in."""

    def __init__(self, site: ProxySite, replay: Replay) -> None:
        self.site, self.replay, self.office = site, replay, replay.office
        self.differences: list[str] = []
        self.before: dict[int, Callable[[], object]] = {
            6: self.forgets_the_first,
            8: lambda: self.is_in(39, "COMPLETED"),
            50: self.others_hand_in,
            55: lambda: self.is_in(72, "COMPLETED"),
            88: lambda: self.is_in(39, "COMPLETED"),
            102: lambda: self.is_in(41, "COMPLETED"),
        }

    def line(self, number: int) -> Answer:
        exchange = EXCHANGES[number]
        self.before.get(number, lambda: None)()
        answer = self.replay.ask(exchange)
        other = OTHERS.get(number)
        difference = self.replay.difference(self._as(exchange), answer, other)
        self.differences += [f"{number}: {difference}"] if difference else []
        return answer

    @staticmethod
    def _as(exchange: Exchange) -> Exchange:
        like = EXCHANGES[BODIES_OF.get(exchange.number, exchange.number)]
        return Exchange(exchange.number, exchange.case, exchange.request, like.response)

    def is_in(self, recorded: int, state: str) -> None:
        self.office.waits_for(self.replay.numbers[recorded], state)

    def forgets_the_first(self) -> None:
        """The original knew nothing of it."""
        answer = self.office.send("GET", f"/monitor/task_uuid/{HELLO}")
        number = answer.json["slurm"]["job_id"]
        assert self.office.send("DELETE", f"/monitor/slurm_job_id/{number}").status == 200

    def others_hand_in(self) -> None:
        """Let jobs come from elsewhere: one that has ended, Ann's that runs, Bob's that ends."""
        numbers = self.replay.numbers
        numbers[1] = self.site.sbatch(ANN, "true")
        numbers[71] = self.site.sbatch(ANN, "sleep 600")
        numbers[72] = self.site.sbatch(BOB, "true")
        lab = self.site.acting.lab

        def is_running() -> bool:
            return lab.must("squeue", "-h", "-o%T", f"-j{numbers[71]}").strip() == "RUNNING"

        eventually(is_running, "Ann's job from elsewhere runs")


def test_every_recorded_exchange_is_answered_as_it_was_but_for_what_is_meant(
    proxy_site: ProxySite, capsys: pytest.CaptureFixture[str]
) -> None:
    with proxy_site.running() as gateway:
        play = Play(proxy_site, Replay(gateway, proxy_site.acting.hand))
        for number in sorted(EXCHANGES):
            answer = play.line(number)
            if number in BY_STATE:
                are_jobs_without_steps(EXCHANGES[number], answer, play.replay)
            elif number in OTHERS and OTHERS[number].body == PASSED:
                has_the_same_keys(EXCHANGES[number], answer)
                is_asked_as(EXCHANGES[number], answer, proxy_site)
        has_its_letters(play)
        log = gateway.daemon.log

    assert play.differences == []
    assert KEY not in log
    assert "eyJ" not in log, "a token of Slurm's is in the log"
    with capsys.disabled():
        meant = len(OTHERS) + len(LETTERS)
        told = f"{107 - meant} of 107 lines as recorded, {meant} meant otherwise"
        print(f"\nslurm-proxy: {told}")  # noqa: T201 - how many is what there is to know


KEYS = ["job_id", "job_name", "state", "user", "partition", "time", "start", "end", "elapsed"]
BY_STATE = (*range(70, 77), 80)


def are_jobs_without_steps(exchange: Exchange, answer: Answer, replay: Replay) -> None:
    jobs = {job["job_id"]: job for job in answer.json["jobs"]}
    state = exchange.request["path"].rstrip("/").rpartition("/")[2]
    recorded = json.loads(exchange.response["body"])
    for job in jobs.values():
        assert "." not in job["job_id"], job
        assert job["state"] == state
        assert job["user"] in (ANN, BOB)
        assert [*job] == KEYS
    for job in recorded["jobs"] if recorded else ():
        number = replay.numbers.get(int(job["job_id"].partition(".")[0]))
        if number is not None:
            shape = re.sub(r"\d", "0", str(jobs[str(number)]["start"]))
            assert shape == re.sub(r"\d", "0", job["start"])
    if state == "COMPLETED":
        assert str(replay.numbers[39]) in jobs
        assert str(replay.numbers[72]) in jobs


def has_the_same_keys(exchange: Exchange, answer: Answer) -> None:
    """What slurmrestd says is its own; its shape is that of the recording."""
    if exchange.is_page or "body" not in exchange.response:
        return
    recorded, ours = json.loads(exchange.response["body"])["response"], answer.json["response"]
    assert sorted(ours) == sorted(recorded), exchange.case
    for one, other in zip(recorded.get("jobs", ()), ours.get("jobs", ()), strict=False):
        assert one.keys() == other.keys(), exchange.case


def is_asked_as(exchange: Exchange, answer: Answer, site: ProxySite) -> None:
    """By a token of that user's own, or, where none was named, of the gateway's."""
    is_named = "alice" in exchange.path + str(exchange.request.get("body"))
    user = ANN if is_named else CALLER
    assert answer.json["slurm_query_username"] == user, exchange.case
    number = answer.json["response"].get("job_id")
    if number:
        assert f"UserId={user}(" in site.acting.lab.must("scontrol", "show", "job", str(number))
        acts = [each["fields"] for each in site.acting.acts() if each["event"] == "job.submit"]
        (act,) = (each for each in acts if each.get("by") == "slurmrestd")
        assert (act["user"], act["job_id"], act["ended"]) == (user, number, "done")


def has_its_letters(play: Play) -> None:
    """Each task's recipient has one letter of its end, with its own words and what became of it."""
    relay = play.office.relay

    def letters_of(number: int) -> list[str]:
        return [
            str(message.get_content())
            for message in relay.taken
            if re.search(rf"^Job: +{number} ", str(message.get_content()), re.MULTILINE)
        ]

    for line, recorded in LETTERS.items():
        number = play.replay.numbers[recorded]
        eventually(partial(_any, letters_of, number), f"a letter of {number}", 90)
        (letter,) = letters_of(number)
        assert letter.startswith("hello!"), mails()[line]
        assert "COMPLETED" in letter


def _any(letters_of: Callable[[int], list[str]], number: int) -> bool:
    return bool(letters_of(number))


def test_the_page_has_each_line_that_is_answered_otherwise_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition("### What slurm-proxy did, and what is different on purpose")[2]
    told = [number for row in rows_of(section) for number in numbers_in(row)]

    assert sorted(told) == sorted({*OTHERS, *LETTERS})


def rows_of(section: str) -> Iterator[str]:
    """The last column of the section's table."""
    table = section.partition("\n#")[0]
    for line in table.splitlines():
        if line.startswith("| ") and not line.startswith(("| |", "|---")):
            yield line.removesuffix("|").rpartition("|")[2].strip()


def numbers_in(cell: str) -> Iterator[int]:
    for part in filter(None, re.split(r"[,\s]+", cell)):
        first, dash, last = part.partition("-")
        if first.isdecimal():
            yield from range(int(first), int(last) + 1 if dash else int(first) + 1)


NOT_FOUND = (64, 65, 67, 81)


def test_the_document_is_read_in_hours_and_for_the_job_and_says_400_for_what_is_not_found(
    proxy_site: ProxySite,
) -> None:
    with proxy_site.running(GATEWAY_PROXY_READING="document") as gateway:
        replay = Replay(gateway, proxy_site.acting.hand)
        for number in NOT_FOUND:
            exchange = EXCHANGES[number]
            assert replay.difference(exchange, replay.ask(exchange), Other(400)) == ""
        details = details_of_hello(gateway, proxy_site, replay)

    assert "TimeLimit=1-06:00:00" in details
    assert "MinMemoryNode=1000M" in details


def test_the_original_is_read_in_minutes_and_for_each_cpu(proxy_site: ProxySite) -> None:
    with proxy_site.running() as gateway:
        details = details_of_hello(gateway, proxy_site, Replay(gateway, proxy_site.acting.hand))

    assert "TimeLimit=00:30:00" in details
    assert "MinMemoryCPU=1000M" in details


def details_of_hello(gateway: Office, site: ProxySite, replay: Replay) -> str:
    answer = replay.ask(EXCHANGES[6])
    assert answer.status == 200, answer
    return site.acting.lab.must("scontrol", "show", "job", str(answer.json["slurm_job_id"]))


def test_without_a_slurmrestd_what_it_would_answer_is_501_with_a_sentence(
    proxy_site: ProxySite,
) -> None:
    with proxy_site.running(hands_on=False) as gateway:
        for number in (89, 91, 92, 98):
            answer = Replay(gateway, proxy_site.acting.hand).ask(EXCHANGES[number])
            assert answer.status == 501
            assert "GATEWAY_SLURMRESTD_URL" in answer.json["error"]


def test_a_stranger_is_let_in_nowhere_but_where_it_says_that_it_runs(
    proxy_site: ProxySite,
) -> None:
    with proxy_site.running() as gateway:
        gateway.from_where = "192.0.2.1"
        answers = {
            number: gateway.send(
                exchange.request["method"],
                exchange.path,
                (exchange.request.get("body") or "").encode() or None,
            ).status
            for number, exchange in EXCHANGES.items()
            if OTHERS.get(number, Other(0)).status not in (404, 405)
            and exchange.response["status"] not in (404, 405)
        }

    assert [number for number, status in answers.items() if status == 200] == [1]
    assert {status for number, status in answers.items() if number > 1} == {401}
