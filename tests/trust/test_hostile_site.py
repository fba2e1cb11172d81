"""Names and texts of every kind, in Waldur and in a real Slurm, through pull and push.

What cannot be taken is refused or cleaned, one line tells each thing, and nobody else's account in
Slurm is another one afterwards.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import DialectName, Waldur
from tests.e2e.program import Program, fast_tools
from tests.e2e.pull_on_slurm import RealSlurm
from tests.fixtures_program import program_for
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from tests.trust.hostile import TEXTS
from tests.trust.liar import Answered, Asked, lying
from tests.trust.size import CLUSTER, IS_CAMPAIGN, count

ANN = "wsat-ann"
WALDURS = DIALECT_NAMES if IS_CAMPAIGN else ("today",)
LONG = "y" * 100_000
SOLD = """
cpu: {limit: 100000, measured_unit: tenths of a minute, accounting_type: usage, label: CPU,
  unit_factor: 0.1}
gres/gpu: {component: gpu, limit: 1, measured_unit: hours, accounting_type: limit, label: GPU,
  unit_factor: 60}
"""
IN_SLURM = [text for text in TEXTS if text.strip() and "\0" not in text and len(text) < 250]
IN_SLURM += ["\udcff\udcfe", "Alice", "waldur/resource/x/y z"]
"""What an administrator, or another tool, may have called something; one of them is no UTF-8."""


@pytest.fixture(scope="module")
def cluster(new_slurm_cluster: NewCluster) -> Iterator[Cluster]:
    """One of its own: not even its names may meet anybody else's."""
    with new_slurm_cluster(CLUSTER) as cluster:
        yield cluster


class HostileSite:
    """A cluster and a Waldur whose people choose the worst names that they are let."""

    def __init__(self, cluster: Cluster, waldur: Waldur, directory: Path) -> None:
        self.cluster = cluster
        self.waldur = waldur
        self.directory = directory
        self.tools = fast_tools(directory / "bin", cluster.environ)
        self.customer = waldur.make_customer("Science")
        self.people = 0
        self.sold = directory / "sold.yaml"
        self.sold.write_text(SOLD)

    def agent(self, direction: str, url: str = "", **changes: str) -> Program:
        place = self.directory / direction
        more = {"WALDUR_API_URL": url} if url else {}
        more["SLURM_TRES_CONFIG_PATH"] = str(self.sold)
        return program_for(
            self.cluster, self.tools, self.waldur, place, direction, **more, **changes
        )

    def join(self, project: str, username: str) -> None:
        self.people += 1
        user = self.waldur.make_user(f"person{self.people}")
        self.waldur.set_offering_username(user, username)
        self.waldur.add_member(project, user)

    def dump(self) -> Counter[str]:
        """Everything in Slurm's accounting, line by line."""
        path = self.directory / "dump.cfg"
        self.cluster.must("sacctmgr", "dump", "lab", f"file={path}")
        return Counter(path.read_bytes().decode("utf-8", "backslashreplace").splitlines())


@pytest.fixture(params=WALDURS)
def site(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> HostileSite:
    dialect: DialectName = request.param
    return HostileSite(cluster, start_waldur(dialect), tmp_path)


def others(site: HostileSite) -> None:
    """What stands in Slurm by other hands."""
    for text in IN_SLURM:
        count("hostile text: in Slurm")
        # Each goes in as one argument; what Slurm makes of it, or refuses, is Slurm's business.
        site.cluster.run("sacctmgr", "-i", "add", "account", f"name={text}", "organization=old")
        site.cluster.run("sacctmgr", "-i", "add", "user", f"name={text}", "account=root")
    site.cluster.run("sacctmgr", "-i", "add", "account", "name=physics", "description=theirs")
    for text in IN_SLURM:
        site.cluster.run(
            "sacctmgr", "-i", "modify", "account", "where", "name=physics", "set",
            f"description={text}",
        )  # fmt: skip


def assert_one_line_each(said: str) -> None:
    """No line holds anything but what a terminal shows as it is."""
    for line in said.split("\n"):
        assert line.isprintable(), f"not clean: {line!r}"


def assert_json_lines(said: str) -> None:
    for line in said.splitlines():
        assert isinstance(json.loads(line), dict), line
        assert line.isascii()
        assert line.isprintable()


def test_hostile_names_on_both_sides_harm_nobody(site: HostileSite) -> None:
    others(site)
    before = site.dump()
    pull = site.agent("pull")
    first = site.waldur.make_project(site.customer, "it's \"quoted\"\nParent - 'root'")
    site.join(first, ANN)
    orders = {}
    for text in (*TEXTS, LONG):
        count("hostile text: in Waldur")
        project = site.waldur.make_project(site.waldur.make_customer(text), text)
        site.join(project, text)
        orders[text] = site.waldur.order_create(first, text, {"gpu": 2}, attributes={text: text})
    absurd = []
    amounts: tuple[object, ...] = (-1, 10**4000, "2; scancel", [[{}]], True, None)
    for units in amounts:
        count("hostile text: limits")
        limits: dict[str, Any] = {"gpu": units}
        absurd.append(site.waldur.order_create(first, "absurd", limits))
    for text in TEXTS:
        site.join(first, text)

    for command in ("plan", "once", "once", "plan", "check"):
        done = pull.run(command)
        assert done.returncode in (0, 1, 10, 11), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        assert_one_line_each(done.stdout + done.stderr)
    as_json = pull.run("once", AGENT_LOG_FORMAT="json", AGENT_LOG_LEVEL="debug")
    assert_json_lines(as_json.stderr)
    assert_one_line_each(pull.run("plan", "--json").stdout)
    assert_json_lines((pull.directory / "audit.jsonl").read_text())

    made = [site.waldur.order(orders[text].uuid)["state"] for text in (*TEXTS, LONG)]
    assert made == ["done"] * len(made)
    assert {site.waldur.order(one.uuid)["state"] for one in absurd} == {"pending-provider"}
    assert_nobody_else_changed(before, site.dump())
    assert_only_harmless_people(site)


def assert_nobody_else_changed(before: Counter[str], after: Counter[str]) -> None:
    assert before - after == Counter(), "something of somebody else's has gone, or is another"
    for line in after - before:
        is_ours = line.startswith(("Account - 'hpc_", "Parent - 'hpc_"))
        assert is_ours or line.startswith("User - '"), line


def assert_only_harmless_people(site: HostileSite) -> None:
    """Only those came in whose name is one plain word, and not a number: that would be a uid."""
    slurm = RealSlurm(site.cluster)
    accounts = slurm.read_snapshot().accounts
    offering = site.waldur.offering_uuid
    ours = [account for account in accounts.values() if f"/{offering}/" in account.description]
    assert len(ours) > len(TEXTS)
    people = set().union(*(account.users for account in ours))
    assert people == {ANN, "1e999999999"}, people


def test_what_was_run_is_told_whatever_it_was_called(site: HostileSite) -> None:
    pull, push = site.agent("pull"), site.agent("push")
    project = site.waldur.make_project(site.customer, "Physics")
    site.join(project, ANN)
    resource = site.waldur.order_create(project, "alloc", {"gpu": 2}).resource_uuid
    for _ in range(2):
        assert pull.run("once").returncode == 0
    account = site.waldur.resource(resource)["backend_id"]
    for text in IN_SLURM:
        # An administrator's own, who stays: of the pull direction and in what push tells.
        site.cluster.run("sacctmgr", "-i", "add", "user", f"name={text}", f"account={account}")
    forged = "x\n   SubmitTime=2020-01-01T00:00:00\n   SuspendTime=2020-01-01T00:00:00"
    for text in [*IN_SLURM[::4], forged]:
        count("hostile text: job")
        site.cluster.submit(
            ANN, account, "true", f"--job-name={text}", f"--comment={text}", "--mem=10", "--time=1"
        )
    site.cluster.wait_for_jobs()
    before = site.dump()

    by_user = ["usage", "--by", "user"]
    for command in (["once"], by_user, [*by_user, "--csv"], ["plan"], ["check"]):
        done = push.run(*command)
        assert done.returncode in (0, 1, 11), done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        assert_one_line_each(f"{done.stdout}{done.stderr}".replace("\r\n", "\n"))
    done = pull.run("once")
    assert done.returncode == 0, done.stderr
    assert_one_line_each(done.stdout + done.stderr)
    assert site.dump() == before


def test_what_waldur_answers_is_told_on_one_line(site: HostileSite) -> None:
    """Error texts are Waldur's own words: whatever they are, they stay words."""
    project = site.waldur.make_project(site.customer, "Physics")
    words = iter([text for text in TEXTS if text] * 3)

    def refuse(asked: Asked, answered: Answered) -> Answered:
        if asked.is_reading:
            return answered
        count("hostile text: refusal")
        text = next(words)
        return Answered(400, {"Content-Type": "application/json"}, json.dumps(text).encode())

    with lying(site.waldur.url) as liar:
        liar.twist = refuse
        pull = site.agent("pull", liar.url, AGENT_LOG_LEVEL="debug")
        for _ in range(3):
            site.waldur.order_create(project, "alloc", {"gpu": 2})
            done = pull.run("once")
            assert "Traceback" not in done.stderr, done.stderr
            assert done.returncode == 1, done.stderr
            assert_one_line_each(done.stdout + done.stderr)
        kept = (pull.directory / "state" / "journal" / "quarantine.json").read_text()
        assert_one_line_each(kept)
