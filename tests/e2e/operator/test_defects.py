"""What was weak or broken in the operator that this one replaces: each by name, and not here.

One real operator runs all along, between a real API server and a real Slurm behind a gateway, which
forgets a job two seconds after its end: most of what is looked at is in the accounting alone.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from sandbox.kube import Bed
from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.counters import total
from tests.e2e.gateway.acting import HONEST, ActingGateway, ActingSite
from tests.e2e.operator.scene import MOO, SLEEP, Scene, wait
from tests.e2e.program import Daemon
from tests.fixtures_hand import ANN, HandSite
from tests.fixtures_slurm import NewCluster
from tests.trust.size import size
from waldur_slurm.gateway.client import Gateway

NODES, CPUS = 3, 24
MANY = size(12, 50)
WARNS = 'real "$@"; echo "sbatch: warning: what a plugin has to say" >&2'
KIB = 1024
LONGEST_NAME = 253
OUT_OF_TIME = "late"
"""A job that Slurm ends after a minute, which goes by while the others are looked at."""


@dataclass
class World:
    scene: Scene
    gateway: ActingGateway
    daemon: Daemon

    def ends(self, name: str, *phases: str) -> dict[str, Any]:
        """Wait until it has ended, and return its status."""
        self.scene.wait_phase("Succeeded", "Failed", "Cancelled", name=name, daemon=self.daemon)
        status = self.scene.status(name)
        assert status["phase"] in phases, status
        return status

    def runs(self, name: str) -> str:
        """Wait until it runs, and return its number."""
        self.scene.wait_phase("Running", name=name, daemon=self.daemon)
        return str(self.scene.status(name)["jobId"])

    def jobs_of(self, name: str) -> set[str]:
        return self.jobs_by_uid().get(self.scene.uid(name), set())

    def jobs_by_uid(self) -> dict[str, set[str]]:
        """All with a mark, which Slurm's accounting has of a job only once it has ended."""
        listing = self.scene.slurm(
            "sacct --allusers --allocations --duplicates --noheader --parsable2"
            " --format=JobID,Comment --starttime=now-1hours"
        )
        rows = [line.partition("|") for line in listing.splitlines()]
        marked = self.scene.site.jobs_marked("k8s:").items()
        found: dict[str, set[str]] = {}
        for number, mark in [*((row[0], row[2]) for row in rows), *marked]:
            found.setdefault(mark.rpartition(":")[2], set()).add(str(number))
        return found

    def looks(self) -> float:
        """How often the gateway was asked by now, this question included."""
        return total(self.gateway.get("/metrics").body.decode(), "slurm_gateway_requests_total")

    def wait_for_looks(self, wanted: int) -> None:
        """Let the operator look so many times, whatever is asked here meanwhile."""
        before, asked = self.looks(), count(1)
        wait(
            lambda: self.looks() - before - next(asked) >= wanted,
            lambda: self.daemon.log[-3000:],
        )


@pytest.fixture(scope="module")
def lab(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Iterator[Cluster]:
    conf = {"MinJobAge": "2"}
    cluster = new_slurm_cluster(ClusterOptions(nodes=NODES, cpus=CPUS, slurm_conf=conf))
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in slurm_users[:2]:
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def world(
    bed: Bed, lab: Cluster, installed_hand: HandSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    installed_hand.write_conf()
    site = ActingSite.make(lab, installed_hand)
    with ExitStack() as ending:
        ending.callback(site.close)
        ending.callback(lab.must, "scancel", f"--user={ANN}")
        gateway = ending.enter_context(site.running(GATEWAY_ANONYMOUS_SCOPES="metrics:read"))
        scene = Scene(bed, site, tmp_path_factory.mktemp("defects"))
        scene.prepare(site.token(ANN))
        scene.clusters["lab"] = scene.lab_behind(gateway, labels={"cuda": "10.0"})
        scene.say(scene.clusters)
        world = World(scene, gateway, ending.enter_context(scene.operating()))
        scene.apply(OUT_OF_TIME, SLEEP, options=options(world, time="1"))
        yield world


def options(world: World, **more: str) -> dict[str, str]:
    return {"mem": "10", "chdir": str(world.scene.work), **more}


def test_01_a_transient_error_hands_nothing_in_again(world: World) -> None:
    scene = world.scene
    scene.apply("transient", SLEEP)
    number = world.runs("transient")
    scene.forge_status("transient", {})

    world.runs("transient")
    assert world.jobs_of("transient") == {number}


def test_02_a_delete_cancels(world: World) -> None:
    scene = world.scene
    scene.apply("deleted", SLEEP)
    number = world.runs("deleted")
    scene.delete("deleted")
    scene.wait_gone("deleted", world.daemon)

    assert "CANCELLED" in scene.slurm(f"sacct -X --noheader --jobs={number} --format=State%30")


def test_03_every_end_of_slurms_is_an_end(world: World) -> None:
    scene = world.scene
    *_, doomed = scene.slurm("sinfo --noheader --Node --format=%N").split()
    scene.apply("cancelled", SLEEP)
    scene.apply("failed", "#!/bin/sh\nexit 3\n")
    scene.apply("lost-node", SLEEP, options=options(world, nodelist=doomed) | {"no-requeue": True})
    scene.slurm(f"scancel {world.runs('cancelled')}")
    world.runs("lost-node")
    scene.slurm(f"scontrol update nodename={doomed} state=down reason=test")

    assert world.ends("cancelled", "Cancelled")["slurm"]["state"].startswith("CANCELLED")
    failed = world.ends("failed", "Failed")
    assert (failed["reason"], failed["exitCode"]) == ("ExitCode", 3)
    assert world.ends("lost-node", "Failed")["reason"] == "NodeFailed"
    resume = ("scontrol", "update", f"nodename={doomed}", "state=resume")
    scene.lab.run(*resume)  # refused where it came back by itself, when it was heard of again


def test_04_a_job_that_slurmctld_has_forgotten_has_ended_as_the_accounting_says(
    world: World,
) -> None:
    scene = world.scene
    scene.apply("forgotten", "#!/bin/sh\nsleep 3\n")
    number = world.runs("forgotten")
    world.daemon.signal(signal.SIGSTOP)  # so that it sees nothing of the job's end
    wait(lambda: scene.lab.run("scontrol", "show", "job", number).code != 0, lambda: number)
    world.daemon.signal(signal.SIGCONT)

    world.ends("forgotten", "Succeeded")


def test_05_a_slurmctld_that_is_away_ends_nothing_and_quiet_jobs_are_not_written_to(
    world: World,
) -> None:
    scene = world.scene
    names = [f"many-{number}" for number in range(MANY)]
    for name in names:
        scene.apply(name, SLEEP)
    running = dict.fromkeys(names, "Running")
    wait(
        lambda: scene.phases(names) == running,
        lambda: f"{scene.phases(names)} {world.daemon.log[-3000:]}",
    )

    world.wait_for_looks(2)
    before = scene.versions(names)
    world.wait_for_looks(4)
    assert scene.versions(names) == before

    numbers = world.jobs_by_uid()
    uids = [scene.all_jobs()[name]["metadata"]["uid"] for name in names]
    scene.lab.restart_daemon("slurmctld")
    scene.apply("after")
    world.ends("after", "Succeeded")
    assert scene.phases(names) == running
    assert {len(numbers[uid]) for uid in uids} == {1}
    now = world.jobs_by_uid()
    assert {uid: now[uid] for uid in uids} == {uid: numbers[uid] for uid in uids}
    scene.delete(*names)


def test_06_a_warning_of_sbatch_hides_no_number(world: World) -> None:
    world.scene.site.sbatch(WARNS)
    world.scene.apply("warned")
    world.ends("warned", "Succeeded")
    world.scene.site.sbatch(HONEST)

    number = str(world.scene.status("warned")["jobId"])
    wait(lambda: world.jobs_of("warned") == {number}, lambda: number)


def test_07_no_name_of_a_job_breaks_what_is_read(world: World) -> None:
    world.scene.apply("odd", options=options(world, **{"job-name": 'a|b c="d" State=RUNNING'}))

    world.ends("odd", "Succeeded")


def test_08_a_large_output_is_not_cut_short_but_its_end_is_told(world: World) -> None:
    world.scene.apply("large", "#!/bin/sh\nhead -c 20000000 /dev/zero | tr '\\0' x\necho END\n")

    tail = world.ends("large", "Succeeded")["output"]["tail"]
    assert tail.endswith("xEND\n")
    assert len(tail) == 4 * KIB


def test_09_what_was_never_told_is_no_success(world: World) -> None:
    world.scene.apply("nowhere", cluster="elsewhere")
    wait(lambda: world.scene.conditions("nowhere"), lambda: world.daemon.log)

    assert world.scene.phase("nowhere") == "Pending"
    assert world.scene.conditions("nowhere")["Accepted"][0] == "False"


@pytest.mark.parametrize(
    "lines",
    [
        "#SBATCH --exclusive",
        "#SBATCH -N1",
        "# a word\n#SBATCH --exclusive --nodes=1",
        "#SBATCH --mem=1M -n1",
    ],
    ids=["exclusive", "n1", "comment", "mem"],
)
def test_10_a_script_is_slurms_to_read(
    world: World, lines: str, request: pytest.FixtureRequest
) -> None:
    name = f"script-{request.node.callspec.id}"
    given = {"chdir": str(world.scene.work)}
    world.scene.apply(name, f"#!/bin/sh\n{lines}\necho moo\n", options=given)

    world.ends(name, "Succeeded")


def test_11_a_script_that_asks_for_nothing_is_handed_in(world: World) -> None:
    world.scene.apply("modest", MOO, options={"chdir": str(world.scene.work)})

    world.ends("modest", "Succeeded")


def test_12_a_partition_without_a_limit_takes_a_job_with_one(world: World) -> None:
    assert "UNLIMITED" in world.scene.slurm("scontrol show partition --oneliner")
    world.scene.apply("limited", options=options(world, time="10-00:00:00"))

    world.ends("limited", "Succeeded")


def test_13_a_log_is_read_in_pieces_that_are_worth_a_request(world: World) -> None:
    size = 5 * KIB * KIB
    world.scene.apply("chatty", f"#!/bin/sh\nhead -c {size} /dev/zero\n")
    number = str(world.ends("chatty", "Succeeded")["jobId"])

    with Gateway(f"http://127.0.0.1:{world.gateway.port}", world.scene.site.token(ANN)) as client:
        pieces = [len(piece) for piece in client.follow(number)]
    assert sum(pieces) == size
    assert len(pieces) <= size / (64 * KIB)


def test_14_a_label_is_the_text_that_the_site_wrote(world: World) -> None:
    wanted = {"slurm.sylabs.io/cuda": "10.0"}
    world.scene.apply("labelled", nodeSelector=wanted)
    world.scene.apply("other", nodeSelector={"slurm.sylabs.io/cuda": "10"})

    world.ends("labelled", "Succeeded")
    wait(lambda: world.scene.conditions("other"), lambda: world.daemon.log)
    assert world.scene.conditions("other")["Accepted"][0] == "False"


def test_15_one_wrong_entry_of_the_site_stops_no_other(world: World) -> None:
    scene = world.scene
    scene.say({"Wrong_Name": {"url": 7}, **scene.clusters})
    wait(lambda: "Wrong_Name" in world.daemon.log, lambda: world.daemon.log)
    scene.apply("beside")

    world.ends("beside", "Succeeded")
    scene.say(scene.clusters)


def test_16_nobody_cancels_what_is_anothers_by_a_forged_status(world: World) -> None:
    """A tenant who may write a status names another's job there, and deletes."""
    scene = world.scene
    scene.apply("victim", SLEEP)
    number = world.runs("victim")
    scene.apply("forger", SLEEP, suspend=True)
    wait(lambda: scene.conditions("forger"), lambda: world.daemon.log)
    scene.forge_status("forger", {"jobId": number, "phase": "Running", "cluster": "lab"})
    scene.delete("forger")
    scene.wait_gone("forger", world.daemon)

    assert scene.slurm(f"squeue --noheader --job={number} --format=%T").strip() == "RUNNING"
    scene.delete("victim")


def test_17_nothing_but_a_claim_is_mounted(world: World) -> None:
    root = {"name": "data", "hostPath": {"path": "/"}}
    body = {
        "apiVersion": "slurm.sylabs.io/v1alpha1",
        "kind": "SlurmJob",
        "metadata": {"name": "burglar", "namespace": world.scene.namespace},
        "spec": {"batch": MOO, "results": {"from": "etc/shadow", "mount": root}},
    }
    done = world.scene.bed.kubectl("create", "-f", "-", said=json.dumps(body))

    assert done.code != 0
    assert "persistentVolumeClaim" in done.err

    another = {"persistentVolumeClaim": {"claimName": "kube-system/data"}}
    world.scene.apply("cat-burglar", results={"mount": another})
    wait(lambda: world.scene.conditions("cat-burglar"), lambda: world.daemon.log)
    assert world.scene.conditions("cat-burglar")["Accepted"] == ("False", "NotAClaim")
    assert world.jobs_of("cat-burglar") == set()


def test_18_a_script_of_280_kb_is_no_argument_of_anything(world: World) -> None:
    script = f"#!/bin/sh\n{'# all of it counts' * 16 * KIB}\necho moo\n"
    assert len(script) > 280 * KIB
    world.scene.apply("long-script", script)

    assert world.ends("long-script", "Succeeded")["output"]["tail"] == "moo\n"


def test_19_the_longest_name_is_a_name(world: World) -> None:
    name = "n" * LONGEST_NAME
    world.scene.apply(name)

    world.ends(name, "Succeeded")


def test_03_a_job_that_slurm_ended_for_its_time_has_ended(world: World) -> None:
    assert world.ends(OUT_OF_TIME, "Failed")["reason"] == "Timeout"
