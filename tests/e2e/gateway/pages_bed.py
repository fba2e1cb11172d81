"""A dashboard with a large queue and many nodes in memory, for a browser to look at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sin
from random import Random
from typing import Any

from tests.fakes.cluster import CPU, MEM, idle_node, live_job, main_partition, qos
from tests.fakes.past import past_run
from tests.fakes.samples import FakeSamples
from tests.unit.gateway.web.pages.pages_site import HOME, PagesSite
from waldur_slurm.gateway.load.sample import PartitionSample, Sample
from waldur_slurm.model.cluster import License, Node, NodeState, Reservation, Why
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import Account, Membership, PastStep
from waldur_slurm.model.tres import tres_name

GPU = tres_name("gres/gpu")
CANARY = "window.canary=1"
HOSTILE = (
    f"<script>{CANARY}</script>",
    f'"><img src=x onerror="{CANARY}">',
    f"';{CANARY};//",
    f"</title></textarea></script><svg onload={CANARY}>",
    "{{ 7*7 }}",
    "\u202eexe.gpj line\nbreak",
)
NAMES = ("relax", "train-resnet", "blast", "\u03b1\u03b2\u03b3 simulation", *HOSTILE)
STATES = ("RUNNING", "RUNNING", "PENDING", "PENDING", "PENDING", "COMPLETED", "FAILED", "TIMEOUT")
PARTITIONS = ("main", "gpu", "long")
REASONS = ("Priority", "Resources", "QOSMaxJobsPerUserLimit", "Dependency")
OWN = (1, 2, 3, 4, 5, 6)
"""Jobs of Ann's that can be steered: the first ones run, and write."""


def large_site(jobs: int = 10_000, nodes: int = 200) -> PagesSite:
    """Make it alike each time."""
    site, chance = PagesSite(), Random(20)  # noqa: S311 - a picture, no secret
    cluster = site.gateway.cluster
    _add_rules(site)
    _add_past(site, chance)
    cluster.nodes = {node.name: node for node in _nodes(nodes, chance)}
    for number in range(1, jobs + 1):
        is_own = number in OWN
        state = "RUNNING" if is_own else chance.choice(STATES)
        facts = _facts(number, state, nodes, chance)
        if is_own:
            site.put(number, "ann", state, **facts)
        else:
            user = UserName(chance.choice(("ann", "bob", "carol", "dieter")))
            cluster.put(live_job(number, user=user, state=state, **facts))
    for number in OWN:
        site.tree.write(f"{HOME}/slurm-{number}.out", b"<b>step 1</b>\n")
    return site


def _add_rules(site: PagesSite) -> None:
    """Three partitions that share nodes, and what else there are tables of."""
    cluster, history = site.gateway.cluster, site.gateway.history
    cluster.partitions = [
        replace(
            main_partition(),
            name=name,
            is_default=name == "main",
            max_time_s=86_400,
            cpus=1600,
            node_count=200,
        )
        for name in PARTITIONS
    ]
    cluster.qos = [qos("normal"), qos("long", priority=10, max_wall_s=604_800, jobs_per_user=4)]
    cluster.reservations = [
        Reservation(
            name="maintenance", state="INACTIVE", start=cluster.now,
            end=cluster.now + timedelta(hours=8), hosts="n[0001-0020]", node_count=20, cores=160,
            partition="", flags=("MAINT",), users=("root",), accounts=(), licenses="",
        )
    ]  # fmt: skip
    cluster.licenses = [License("matlab", 10, 4, 6, 0, is_remote=False)]
    names = (("root", None), ("science", "root"), ("physics", "science"), (HOSTILE[0], "science"))
    history.accounts = tuple(
        Account(AccountName(name), AccountName(parent) if parent else None)
        for name, parent in names
    )
    history.memberships = tuple(
        Membership(number, AccountName("physics"), UserName(user), "", ("normal",), "normal")
        for number, user in enumerate(("ann", "bob", "carol"))
    )


def _add_past(site: PagesSite, chance: Random) -> None:
    """Jobs of the last days, with what they used, and samples of the load."""
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(90_000, 90_120):
        submitted = now - timedelta(minutes=60 * chance.randint(1, 100))
        elapsed_s = chance.randint(60, 3000)
        run = past_run(
            number,
            user=UserName(chance.choice(("ann", "bob"))),
            submitted=submitted,
            start=submitted + timedelta(minutes=5),
            end=submitted + timedelta(seconds=300 + elapsed_s),
            elapsed_s=elapsed_s,
            limit_s=3600,
            cpus=8,
            allocated={CPU: 8, MEM: 8000},
            name=NAMES[number % len(NAMES)],
        )
        site.gateway.history.runs.append(run)
        used = 8 * elapsed_s * chance.random()
        memory, tasks, state = chance.randint(10**8, 8 * 10**9), 1, JobState("COMPLETED")
        step = PastStep(
            run.id,
            "batch",
            state,
            run.start,
            run.end,
            elapsed_s,
            8,
            tasks,
            used,
            memory,
            None,
            None,
        )
        site.gateway.history.steps.append(step)
    archive = site.gateway.restapi.archive
    assert isinstance(archive, FakeSamples)
    begin = int(now.timestamp()) - 2 * 86_400
    for at in range(begin, int(now.timestamp()), 300):
        load = 0.5 + 0.4 * sin(at / 9000)
        own = {
            name: PartitionSample(10, 10, 100, 100, 10, 10, 10, load * (1 - 0.2 * place), "UP")
            for place, name in enumerate(PARTITIONS)
        }
        archive.add("lab", at, Sample(at, load, 1600, 6_400_000, int(1600 * load), 3_000_000, own))


def _nodes(number: int, chance: Random) -> list[Node]:
    made = []
    for at in range(1, number + 1):
        node = idle_node(f"n{at:04}")
        given = chance.choice((0, 0, 2, 4, 8, 8))
        gpus = {GPU: 4} if at % 5 == 0 else {}
        state = NodeState("IDLE" if not given else "ALLOCATED" if given == 8 else "MIXED")
        node = replace(
            node,
            state=state,
            tres={**node.tres, **gpus},
            partitions=("main", "gpu") if gpus else ("main", "long") if at % 3 else ("main",),
            allocated_cpus=given,
            allocated_memory_mib=min(32_000, given * chance.choice((1000, 3900))),
            allocated_tres={CPU: given, **({GPU: 2} if gpus and given else {})},
        )
        if at % 41 == 7:
            why = Why(HOSTILE[0], "root", datetime.now(UTC) - timedelta(days=2))
            node = replace(node, state=NodeState("DOWN", ("DRAIN",)), why=why, allocated_cpus=0)
        made.append(node)
    return made


def _facts(number: int, state: str, nodes: int, chance: Random) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    submitted = now - timedelta(seconds=chance.randint(4000, 400_000))
    limit_s = chance.choice((3600, 86_400, 172_800))
    facts: dict[str, Any] = {
        "submitted": submitted,
        "eligible": submitted,
        "account": AccountName(chance.choice(("physics", "chemistry", "biology"))),
        "cpus": chance.choice((1, 2, 8, 64)),
        "limit_s": limit_s,
        "priority": chance.randint(1, 9999),
        "name": NAMES[number % len(NAMES)],
        "partition": PARTITIONS[number % 3],
    }
    if state == "PENDING":
        expected = now + timedelta(hours=3) if number % 3 == 0 else None
        return facts | {"reason": chance.choice(REASONS), "start": expected}
    elapsed_s = chance.randint(10, 3600)
    start = now - timedelta(seconds=elapsed_s)
    host = f"n{chance.randint(1, nodes):04}"
    return facts | {"start": start, "elapsed_s": elapsed_s, "hosts": host}
