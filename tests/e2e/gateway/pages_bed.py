"""A dashboard with a large queue and many nodes in memory, for a browser to look at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.fakes.cluster import CPU, idle_node, live_job
from tests.unit.gateway.web.pages.pages_site import HOME, PagesSite
from waldur_slurm.model.cluster import Node, NodeState, Why
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import AccountName, UserName
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
REASONS = ("Priority", "Resources", "QOSMaxJobsPerUserLimit", "Dependency")
OWN = (1, 2, 3, 4, 5, 6)
"""Jobs of Ann's that can be steered: the first ones run, and write."""


def large_site(jobs: int = 10_000, nodes: int = 200) -> PagesSite:
    """Make it alike each time."""
    site, chance = PagesSite(), Random(20)  # noqa: S311 - a picture, no secret
    cluster = site.gateway.cluster
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
    }
    if state == "PENDING":
        expected = now + timedelta(hours=3) if number % 3 == 0 else None
        return facts | {"reason": chance.choice(REASONS), "start": expected}
    elapsed_s = chance.randint(10, 3600)
    start = now - timedelta(seconds=elapsed_s)
    host = f"n{chance.randint(1, nodes):04}"
    return facts | {"start": start, "elapsed_s": elapsed_s, "hosts": host}


def job_of(site: PagesSite, number: int) -> LiveJob:
    return site.gateway.cluster.jobs[number]
