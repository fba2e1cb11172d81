"""SlurmJobs on a real API server become jobs of a real Slurm, and go with them."""

from tests.e2e.operator.scene import SLEEP, Scene, wait


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


def test_who_deletes_it_cancels_its_job(scene: Scene) -> None:
    with scene.operating() as daemon:
        scene.apply(batch=SLEEP)
        scene.wait_phase("Running", daemon=daemon)
        (number,) = scene.numbers(scene.uid())
        scene.delete()
        wait(lambda: not scene.job(), lambda: daemon.log)

    assert "CANCELLED" in scene.slurm(f"squeue --noheader --states=all --job={number} --format=%T")
