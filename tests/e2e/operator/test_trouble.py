"""What goes wrong around a real operator, one after another, costs no job and makes no second."""

import signal

import pytest

from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.operator.scene import MOO, SLEEP, Scene, seen, wait
from tests.fixtures_hand import ANN

API_SERVER = "kube-apiserver"
STUBBORN = '#!/bin/sh\n#SBATCH --comment=mine --export=NONE\n#SBATCH --uid=0\necho "as $(id -un)"\n'


@pytest.mark.operator_fault("the API server hangs, or the watch is cut half-open")
def test_an_api_server_that_hangs_is_told_and_all_is_caught_up_with_later(scene: Scene) -> None:
    with scene.operating() as daemon:
        scene.apply(batch=SLEEP)
        scene.wait_phase("Running", daemon=daemon)
        uid = scene.uid()
        (number,) = scene.numbers(uid)
        scene.bed.freeze(API_SERVER)
        try:
            scene.slurm(f"scancel {number}")
            wait(lambda: "kube.silent" in daemon.log, lambda: daemon.log)
        finally:
            scene.bed.thaw(API_SERVER)
        scene.wait_phase("Cancelled", daemon=daemon)
        wait(lambda: "kube.answers" in daemon.log, lambda: daemon.log)
    assert scene.numbers(uid) == [number]


@pytest.mark.operator_fault("two operators run at once")
def test_two_operators_at_once_make_one_job_of_each_slurmjob(scene: Scene) -> None:
    names = [f"cow-{number}" for number in range(6)]
    with scene.operating() as one, scene.operating() as other:
        for name in names:
            scene.apply(name, SLEEP if name == names[0] else MOO)
        for name in names[1:]:
            scene.wait_phase("Succeeded", name=name, daemon=one)
        scene.wait_phase("Running", name=names[0], daemon=one)
        uids = [scene.uid(name) for name in names]
        scene.delete(names[0])
        scene.wait_gone(names[0], other)
        for daemon in (one, other):
            assert "crashed" not in daemon.log
    assert [len(scene.numbers(uid)) for uid in uids] == [1] * len(names)


@pytest.mark.operator_fault("slurmctld is down, or hangs")
def test_while_slurmctld_is_down_nothing_is_decided_and_then_all_goes_on(scene: Scene) -> None:
    with scene.operating() as daemon:
        scene.apply("runs", SLEEP)
        scene.wait_phase("Running", name="runs", daemon=daemon)
        scene.lab.stop_daemon("slurmctld")
        try:
            scene.apply("new")
            scene.delete("runs")
            wait(lambda: "cluster.silent" in daemon.log, lambda: daemon.log)
            assert scene.status("runs")["phase"] == "Running"
        finally:
            scene.lab.start_daemon("slurmctld")
        scene.wait_gone("runs", daemon)
        scene.wait_phase("Succeeded", name="new", daemon=daemon)
    assert len(scene.numbers(scene.uid("new"))) == 1


@pytest.mark.operator_fault("the gateway is gone, hangs, or is slow")
def test_while_the_gateway_hangs_nothing_is_decided_and_then_all_goes_on(
    scene: Scene, gateway: ActingGateway
) -> None:
    with scene.operating() as daemon:
        scene.apply("runs", SLEEP)
        scene.wait_phase("Running", name="runs", daemon=daemon)
        gateway.daemon.signal(signal.SIGSTOP)
        try:
            scene.apply("new")
            wait(lambda: "cluster.silent" in daemon.log, lambda: daemon.log)
            assert scene.status("runs")["phase"] == "Running"
        finally:
            gateway.daemon.signal(signal.SIGCONT)
        scene.wait_phase("Succeeded", name="new", daemon=daemon)
    assert len(scene.numbers(scene.uid("new"))) == 1


@pytest.mark.operator_fault("a script brings --uid, --comment or --export of its own")
def test_a_script_that_would_borrow_rights_or_break_the_mark_does_neither(scene: Scene) -> None:
    with scene.operating() as daemon:
        scene.apply("uid", STUBBORN)
        scene.apply("own", STUBBORN.replace("#SBATCH --uid=0\n", ""))
        scene.wait_phase("Succeeded", "Failed", name="uid", daemon=daemon)
        scene.wait_phase("Succeeded", name="own", daemon=daemon)
    assert scene.status("own")["output"]["tail"].startswith("as wsat-ann")
    assert len(scene.numbers(scene.uid("own"))) == 1
    told = scene.status("uid")
    assert told.get("reason") == "Refused" or told["slurm"]["user"] == "wsat-ann"


@pytest.mark.operator_fault("the gateway's token is revoked")
def test_a_token_that_is_revoked_ends_nothing_and_a_new_one_goes_on_with_the_same_jobs(
    scene: Scene, acting_site: ActingSite
) -> None:
    """The new one is another principal to the gateway, whose keys were never used."""
    secret = scene.place / "secrets" / "gateway-lab" / "token"
    secret.write_text(acting_site.token(ANN))
    claimed = claim_ports(1)
    listen = f"127.0.0.1:{claimed.first}"
    with claimed.claim, scene.operating(OPERATOR_HTTP_LISTEN=listen) as daemon:
        for name in ("runs", "ends"):
            scene.apply(name, SLEEP)
        for name in ("runs", "ends"):
            scene.wait_phase("Running", name=name, daemon=daemon)
        acting_site.revoke(secret.read_text())
        wait(lambda: "cluster.silent" in daemon.log, lambda: daemon.log)
        scene.apply("new")
        scene.delete("ends")
        told = {"runs": "NoAnswer", "new": "NoAnswer", "ends": "DeletionWaits"}
        for name, reason in told.items():
            wait(lambda n=name, r=reason: r in str(scene.conditions(n)), lambda: daemon.log)
        assert 'slurm_operator_cluster_silent{cluster="lab"} 1.0' in seen(claimed.first, "/metrics")
        assert "the token" in daemon.log
        assert scene.phases(["runs", "ends", "new"]) == {
            "runs": "Running",
            "ends": "Running",
            "new": "Pending",
        }
        assert scene.numbers(scene.uid("new")) == []

        secret.write_text(acting_site.token(ANN))
        scene.wait_gone("ends", daemon)
        scene.wait_phase("Succeeded", name="new", daemon=daemon)
        wait(lambda: "Answers" in str(scene.conditions("runs")), lambda: daemon.log)
        assert scene.phase("runs") == "Running"
        assert 'slurm_operator_cluster_silent{cluster="lab"} 0.0' in seen(claimed.first, "/metrics")
    assert [len(scene.numbers(scene.uid(name))) for name in ("runs", "new")] == [1, 1]


@pytest.mark.operator_fault("slurmdbd is down")
def test_while_slurmdbd_is_down_what_runs_is_told_and_what_is_new_waits(scene: Scene) -> None:
    with scene.operating() as daemon:
        scene.apply("runs", SLEEP)
        scene.wait_phase("Running", name="runs", daemon=daemon)
        scene.lab.stop_daemon("slurmdbd")
        try:
            scene.apply("new")
            wait(lambda: "NoAnswer" in str(scene.conditions("new")), lambda: daemon.log)
            assert scene.status("runs")["phase"] == "Running"
            assert "jobId" not in scene.status("new")
        finally:
            scene.lab.start_daemon("slurmdbd")
        scene.wait_phase("Succeeded", name="new", daemon=daemon)
