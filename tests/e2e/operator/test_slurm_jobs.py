"""SlurmJobs on a real API server become jobs of a real Slurm, and go with them."""

import json
from urllib.request import urlopen

from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.acting import ActingSite
from tests.e2e.operator.scene import PATIENCE_S, SLEEP, Scene, wait
from tests.fixtures_hand import ANN
from tests.fixtures_ssh import NewSshd


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


def seen(port: int, path: str) -> list[str]:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return bytes(answer.read()).decode().splitlines()


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


def test_over_ssh_it_runs_as_the_account_that_it_brings(
    scene: Scene, new_sshd: NewSshd, acting_site: ActingSite
) -> None:
    path = f"PATH={acting_site.tools}:/usr/bin:/bin"
    with new_sshd(f"SetEnv HOME={scene.work} {path}") as host, scene.operating() as daemon:
        key = {"id": host.user_key.read_text()}
        scene.make("Secret", "ann-ssh", stringData=key)
        opened = {scene.namespace: {"user": "nobody", "ssh": True}}
        by = {"ssh": f"127.0.0.1:{host.port}", "knownHosts": str(host.known_hosts)}
        scene.say({"gamma": {**by, "namespaces": opened}})
        ref = {"secretKeyRef": {"name": "ann-ssh", "key": "id"}}
        scene.apply(ssh={"user": ANN, "key": ref})
        scene.wait_phase("Succeeded", "Failed", daemon=daemon)

        status = scene.status()
        assert (status["phase"], status["slurm"]["user"]) == ("Succeeded", ANN)
        assert status["output"] == {"tail": "moo\n"}
        assert len(scene.numbers(scene.uid())) == 1
        scene.delete()
        wait(lambda: not scene.job(), lambda: daemon.log)
