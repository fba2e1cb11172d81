"""A Waldur that somebody else has taken over cannot reach what the agent does not own.

It may lie in every answer, and knows the token, which is its own. It gets no account, user or job
outside the managed ones, no command, no file, and no more memory or time than one answer may take.
"""

import gzip
import json
import os
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import count as numbers
from pathlib import Path
from typing import Any

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import Waldur
from tests.e2e.program import Program, fast_tools
from tests.fixtures_program import program_for
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import StartWaldur
from tests.places import PROJECT
from tests.trust.liar import Answered, Asked, Liar, Twist, lying
from tests.trust.size import CLUSTER, count
from tests.unit.agent.waldur.servers import says, scripted
from waldur_slurm.agent.waldur.transport import MAX_BODY_BYTES

ANN = "wsat-ann"
OTHER_OFFERING = "0ff" * 10 + "00"
SOLD = """
cpu: {limit: 16, measured_unit: hours, accounting_type: usage, label: CPU, unit_factor: 60}
gres/gpu: {component: gpu, limit: 1, measured_unit: hours, accounting_type: limit, label: GPU,
  unit_factor: 60}
"""
_names = numbers(1)


@pytest.fixture(scope="module")
def cluster(new_slurm_cluster: NewCluster) -> Iterator[Cluster]:
    """One of its own, so that all of its accounting can be compared."""
    with new_slurm_cluster(CLUSTER) as cluster:
        yield cluster


class Victim:
    """A site with accounts that are nobody's business, and one allocation of the agent's own."""

    def __init__(self, cluster: Cluster, waldur: Waldur, liar: Liar, directory: Path) -> None:
        self.cluster, self.waldur, self.liar, self.directory = cluster, waldur, liar, directory
        self.tools = fast_tools(directory / "bin", cluster.environ)
        (directory / "sold.yaml").write_text(SOLD)
        self.bait = directory / "bait"
        self.bait.write_text("what no Waldur may read")
        number = next(_names)
        self.lab, self.hpc, self.theirs = f"lab{number}", f"hpc_lab{number}", f"hpc_other{number}"
        marks = {self.theirs: f"waldur/resource/{OTHER_OFFERING}/{'ab' * 16}"}
        for name in (self.lab, self.hpc, self.theirs):
            text = f"description={marks.get(name, 'a lab of its own')}"
            self.hand("add", "account", f"name={name}", text, "organization=lab")
            self.hand("add", "user", f"name={ANN}", f"account={name}")
        self.project = waldur.make_project(waldur.make_customer("Science"), "Physics")
        user = waldur.make_user(f"ann{number}")
        waldur.set_offering_username(user, ANN)
        waldur.add_member(self.project, user)
        self.own = self.order("own")
        assert self.agent("pull").run("once").returncode == 0
        assert waldur.resource(self.own)["state"] == "OK"

    def hand(self, *words: str) -> None:
        self.cluster.must("sacctmgr", "-i", *words)

    def order(self, name: str, **more: Any) -> str:
        return self.waldur.order_create(self.project, name, {"gpu": 1}, **more).resource_uuid

    def agent(self, direction: str, **changes: str) -> Program:
        more = {
            "WALDUR_API_URL": self.liar.url,
            "SLURM_TRES_CONFIG_PATH": str(self.directory / "sold.yaml"),
        }
        place = self.directory / direction
        return program_for(
            self.cluster, self.tools, self.waldur, place, direction, **more | changes
        )

    def others(self) -> Counter[str]:
        """All of the accounting but what hangs below the agent's own accounts."""
        path = self.directory / "dump.cfg"
        self.cluster.must("sacctmgr", "dump", "lab", f"file={path}")
        kept: Counter[str] = Counter()
        parent = ""
        for line in path.read_text().splitlines():
            parent = line if line.startswith("Parent - ") else parent
            managed = self.managed()
            if not any(f"'{name}'" in line or f"'{name}'" in parent for name in managed):
                kept[f"{parent} {line}"] += 1
        return kept

    def managed(self) -> set[str]:
        """Accounts that carry this offering's mark."""
        listed = self.cluster.must("sacctmgr", "-nP", "show", "account", "format=account,descr")
        rows = (line.partition("|") for line in listed.splitlines())
        return {name for name, _, text in rows if f"/{self.waldur.offering_uuid}/" in text}


@pytest.fixture
def victim(
    cluster: Cluster, slurm_users: tuple[str, ...], start_waldur: StartWaldur, tmp_path: Path
) -> Iterator[Victim]:
    waldur = start_waldur("today")
    with lying(waldur.url) as liar:
        yield Victim(cluster, waldur, liar, tmp_path)


def twisted(change: Callable[[dict[str, Any]], None], *, path: str) -> Twist:
    """Change every row of the lists and the objects whose address has `path` in it."""

    def twist(asked: Asked, answered: Answered) -> Answered:
        if not asked.is_reading or path not in asked.path or answered.status != 200:
            return answered
        found = json.loads(answered.body)
        for row in found if isinstance(found, list) else [found]:
            change(row)
        return answered.but(body=json.dumps(found).encode())

    return twist


def with_headers(told: Mapping[str, str]) -> Twist:
    return lambda _, answered: answered.but(headers={**answered.headers, **told})


def redirecting(place: str) -> Twist:
    return lambda _asked, _answered: Answered(302, {"Location": place}, b"")


def saying(lie: Mapping[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda row: row.update(lie)


def claims(account: str) -> Callable[[dict[str, Any]], None]:
    return saying({"backend_id": account})


def test_a_claim_to_somebody_elses_account_gets_nothing(victim: Victim) -> None:
    """Without a mark nothing is limited, held, cancelled or removed, whatever Waldur calls it."""
    job = victim.cluster.submit(ANN, victim.hpc, "sleep 600", "--mem=10", "--time=10")
    before = victim.others()
    pull, push = victim.agent("pull"), victim.agent("push")
    for account in (victim.lab, victim.hpc, victim.theirs, "root", "a,root"):
        count("compromised: claim to an account")
        victim.order(f"claim {next(_names)}")
        for lie in (claims(account), claims_and_pauses(account)):
            victim.liar.twist = twisted(lie, path="provider-resources")
            done = pull.run("once", "--allow-removals", "--remove-empty-now")
            assert "Traceback" not in done.stderr, done.stderr
    done = push.run("once", "--allow-decrease")
    assert "Traceback" not in done.stderr, done.stderr
    victim.liar.twist = twisted(claims(victim.hpc), path="provider-resources")
    victim.waldur.order_terminate(victim.own)
    pull.run("once", "--allow-removals", "--remove-empty-now")

    assert victim.others() == before
    assert f"{job}" in victim.cluster.must("squeue", "-h", "-o", "%i")
    victim.cluster.must("scancel", str(job))


def claims_and_pauses(account: str) -> Callable[[dict[str, Any]], None]:
    flags = dict.fromkeys(("paused", "downscaled", "restrict_member_access"), True)
    return saying({"backend_id": account, **flags})


def test_lies_about_names_marks_and_people_stay_among_the_managed(victim: Victim) -> None:
    """Resources, projects and customers with the uuids of others, people with their names."""
    before = victim.others()
    pull = victim.agent("pull")
    people = ("root", "0", "1", str(os.getuid()), "slurm,root", "-i", "munge", victim.lab)
    for name in people:
        count("compromised: a name of somebody else's")
        user = victim.waldur.make_user(f"{name} at home {next(_names)}")
        victim.waldur.set_offering_username(user, name)
        victim.waldur.add_member(victim.project, user)
    lies: tuple[Mapping[str, Any], ...] = (
        {"uuid": "ab" * 16},
        {"project_uuid": "ab" * 16, "customer_uuid": "ab" * 16},
        {"name": f"x'\\nParent - 'root'\\nAccount - '{victim.lab}':MaxJobs=0", "slug": victim.lab},
        {"project_slug": victim.lab, "customer_slug": "root", "project_name": "\\n- 'root'"},
        {"attributes": {"name": "$(touch owned)", "path": str(victim.bait), "file": "/etc/passwd"}},
        {"limits": {"cpu": 1, "gpu": 5, "where": 1, "account=root": 1}},
    )
    for lie in lies:
        count("compromised: a lie in a row")
        victim.order(f"lie {next(_names)}")
        victim.liar.twist = twisted(saying(lie), path="/marketplace-")
        for settings in ({}, {"SLURM_ACCOUNT_NAMING": "slug"}):
            done = pull.run("once", "--allow-removals", **settings)
            assert "Traceback" not in done.stderr, done.stderr

    assert victim.others() == before
    assert people_of(victim) <= {ANN, "munge", victim.lab}
    assert not list(PROJECT.glob("owned")) + list(Path.cwd().glob("owned"))
    assert victim.bait.read_text() not in everything_told(victim)


def people_of(victim: Victim) -> set[str]:
    listed = victim.cluster.must("sacctmgr", "-nP", "show", "assoc", "format=account,user")
    rows = (line.partition("|") for line in listed.splitlines())
    managed = victim.managed()
    return {user for account, _, user in rows if account in managed and user}


def everything_told(victim: Victim) -> str:
    return "".join(f"{asked.path}{asked.body!r}" for asked in victim.liar.asked)


@pytest.mark.parametrize("mode", ["links", "redirects"])
def test_no_answer_sends_the_agent_anywhere_else(victim: Victim, mode: str) -> None:
    pull = victim.agent("pull")
    with lying(victim.waldur.url) as elsewhere:
        places = ("file:///etc/passwd", elsewhere.url, "//127.0.0.1:9/", "gopher://x/", "http://[")
        for place in places:
            count("compromised: sent elsewhere")
            if mode == "links":
                told = {"Link": f'<{place}?page=2>; rel="next"', "X-Result-Count": "2"}
                victim.liar.twist = with_headers(told)
            else:
                victim.liar.twist = redirecting(place)
            done = pull.run("once", REQUESTS_TIMEOUT="1")
            assert done.returncode in (1, 75), done.stderr
            assert "Traceback" not in done.stderr, done.stderr
        assert elsewhere.asked == []


def packed(mebibytes: int) -> bytes:
    """Zeros; gzip lets one file follow the other."""
    return gzip.compress(bytes(16 * 1024 * 1024)) * (mebibytes // 16)


SWELLING: Mapping[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "gzip": (lambda: packed(1024), {"Content-Encoding": "gzip"}),
    "deflate": (lambda: zlib.compress(bytes(2 * MAX_BODY_BYTES)), {"Content-Encoding": "deflate"}),
    "twice": (lambda: gzip.compress(packed(4096)), {"Content-Encoding": "gzip, gzip"}),
    "many times": (lambda: packed(16), {"Content-Encoding": ", ".join(["gzip"] * 50)}),
    "no gzip": (lambda: b"[]", {"Content-Encoding": "gzip"}),
    "unknown": (lambda: b"[]", {"Content-Encoding": "x-unknown"}),
    "cookies": (lambda: b"[]", {"Set-Cookie": "a=" + "b" * 50_000}),
    "deep": (lambda: b"[" * 1_000_000, {}),
}


@pytest.mark.parametrize("name", SWELLING)
def test_an_answer_that_swells_is_left_in_little_memory(name: str) -> None:
    """In a process of its own, so that its memory is its own; it must not die of it."""
    count("compromised: a swelling answer")
    make, headers = SWELLING[name]
    more: dict[str, Any] = {"X-Result-Count": "0", **headers}
    with scripted(says(make(), **more)) as server:
        done = subprocess.run(
            [sys.executable, "-c", ASKING, server.url],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=PROJECT,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    said, peak_mib = done.stdout.split()
    assert said in ("WaldurUnreachable", "UnexpectedPayload", "list"), done.stdout
    assert int(peak_mib) < 300


ASKING = """
import sys
from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Bounds
url, token = sys.argv[1], "t" * 40
session = WaldurSession(url, token, user_agent="x", bounds=Bounds(), sleep=lambda _: None)
try:
    said = type(session.rows("anything", {}, lambda row: row)).__name__
except WaldurError as error:
    said = type(error).__name__
# Of this program alone: getrusage counts what the process was before it became this program.
with open("/proc/self/status") as status:
    peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024
sys.stdout.write(f"{said} {peak}")
"""
