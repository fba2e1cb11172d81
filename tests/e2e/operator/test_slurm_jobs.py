"""SlurmJobs on a real API server become jobs of a real Slurm, and go with them."""

import json
from pathlib import Path

import pytest
from hypothesis import seed

from sandbox.slurm.ports import claim_ports
from sandbox.ssh import make_key
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.operator.scene import PATIENCE_S, SLEEP, Scene, seen, wait
from tests.fixtures_hand import ANN
from tests.fixtures_ssh import NewSshd
from tests.trust.operator_walks.live import LiveWorld
from tests.trust.operator_walks.live_machine import on_the_bed
from tests.trust.size import SEED, size
from tests.trust.walking import walk


def test_a_cow_says_moo_and_its_status_says_so(scene: Scene) -> None:
    with scene.operating() as daemon:
        scene.apply()
        scene.wait_phase("Succeeded", "Failed", daemon=daemon)

    status = scene.status()
    (number,) = scene.numbers(scene.uid())
    assert (status["phase"], status["jobId"], status["cluster"]) == (
        "Succeeded",
        str(number),
        "lab",
    )
    assert status["output"] == {"tail": "moo\n"}
    assert scene.conditions()["Finished"] == ("True", "Succeeded")


def test_who_watches_it_sees_whether_it_works_and_what_it_did(scene: Scene) -> None:
    claimed = claim_ports(1)
    with (
        claimed.claim,
        scene.operating(OPERATOR_HTTP_LISTEN=f"127.0.0.1:{claimed.first}") as daemon,
    ):
        scene.apply()
        scene.wait_phase("Succeeded", daemon=daemon)
        assert seen(claimed.first, "/readyz")[0].startswith("the API server was heard")
        shown = seen(claimed.first, "/metrics")

    assert 'slurm_operator_acts_total{act="submitted"} 1.0' in shown
    assert 'slurm_operator_cluster_silent{cluster="lab"} 0.0' in shown
    assert any(line.startswith('slurm_operator_turn_seconds_count{cluster="lab"') for line in shown)


def test_who_deletes_it_cancels_its_job(scene: Scene) -> None:
    with scene.operating() as daemon:
        scene.apply(batch=SLEEP)
        scene.wait_phase("Running", daemon=daemon)
        (number,) = scene.numbers(scene.uid())
        scene.delete()
        wait(lambda: not scene.job(), lambda: daemon.log)

    assert "CANCELLED" in scene.slurm(f"squeue --noheader --states=all --job={number} --format=%T")


def test_check_and_plan_say_beforehand_what_is_and_what_will_be(scene: Scene) -> None:
    checked = scene.program.run("check")
    assert checked.returncode == 0, checked.stdout
    assert "Slurm 2" in checked.stdout

    scene.apply()
    planned = scene.program.run("plan")
    assert planned.returncode == 10
    assert f"{scene.namespace}/cow: hand it in as wsat-ann" in planned.stdout
    assert scene.status() == {}

    with scene.operating() as daemon:
        scene.wait_phase("Succeeded", daemon=daemon)
    after = scene.program.run("plan", "--json")
    assert (after.returncode, json.loads(after.stdout)["kind"]) == (0, "nothing")


def test_who_is_not_let_in_hears_why_and_is_served_once_that_is_mended(scene: Scene) -> None:
    gateway = scene.clusters["lab"]
    scene.say({"lab": {**gateway, "namespaces": {}}})
    with scene.operating() as daemon:
        scene.apply()
        wait(lambda: scene.conditions().get("Accepted"), lambda: daemon.log)
        assert scene.conditions()["Accepted"] == ("False", "NamespaceUnknown")

        scene.say({"lab": gateway})
        scene.wait_phase("Succeeded", daemon=daemon)
        assert daemon.stop(PATIENCE_S) == 0, "it ends when it is asked to"


@pytest.mark.operator_fault("the ssh key of a SlurmJob is missing, or wrong")
def test_over_ssh_it_runs_as_the_account_that_it_brings_and_a_wrong_key_shuts_out_itself_alone(
    scene: Scene, new_sshd: NewSshd, acting_site: ActingSite, tmp_path: Path
) -> None:
    path = f"PATH={acting_site.tools}:/usr/bin:/bin"
    with new_sshd(f"SetEnv HOME={scene.work} {path}") as host, scene.operating() as daemon:
        right, wrong = host.user_key.read_text(), make_key(tmp_path / "other").read_text()
        make_secret(scene, "ann-ssh", right)
        make_secret(scene, "other-ssh", wrong)
        opened = {scene.namespace: {"user": "nobody", "ssh": True}}
        by = {"ssh": f"127.0.0.1:{host.port}", "knownHosts": str(host.known_hosts)}
        scene.say({"gamma": {**by, "namespaces": opened}})
        scene.apply("wrong", ssh=account("other-ssh"))
        scene.apply("keyless", ssh=account("no-ssh"))
        for name in ("wrong", "keyless"):
            wait(lambda n=name: "AccountShut" in str(scene.conditions(n)), lambda: daemon.log)
        scene.apply(ssh=account("ann-ssh"))
        scene.wait_phase("Succeeded", "Failed", daemon=daemon)

        status = scene.status()
        assert (status["phase"], status["slurm"]["user"]) == ("Succeeded", ANN)
        assert status["output"] == {"tail": "moo\n"}
        assert len(scene.numbers(scene.uid())) == 1
        assert "cluster.silent" not in daemon.log
        scene.delete()
        wait(lambda: not scene.job(), lambda: daemon.log)

        make_secret(scene, "other-ssh", right)
        scene.wait_phase("Succeeded", name="wrong", daemon=daemon)


@pytest.mark.parametrize("part", range(size(1, 4)))
def test_whatever_happens_one_slurmjob_is_one_job_and_nobody_elses_is_touched(
    scene: Scene, gateway: ActingGateway, part: int
) -> None:
    """The walks that test_operator_walks.py takes in memory, on what is real: fewer, shorter."""
    with LiveWorld.around(scene, gateway) as world:
        machine = seed(SEED + part)(on_the_bed(world))
        walk(machine, walks=size(3, 15), steps=size(10, 20), shrinks=False)


def make_secret(scene: Scene, name: str, key: str) -> None:
    scene.make("Secret", name, stringData={"id": key})


def account(secret: str) -> dict[str, object]:
    """Ann's, by the key in that Secret."""
    return {"user": ANN, "key": {"secretKeyRef": {"name": secret, "key": "id"}}}
