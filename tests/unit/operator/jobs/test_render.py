"""`plan` shows the next turns' steps, in words and for machines, and changes nothing."""

from tests.unit.operator.jobs.bench import Bench
from waldur_slurm.operator.jobs.render import OfCluster, code_of, to_json, to_text


def planned(bench: Bench) -> list[OfCluster]:
    return [OfCluster("alpha", bench.cycle.plan(bench.kube.snapshot()))]


def test_what_would_be_done_is_said_step_by_step() -> None:
    bench = Bench()
    bench.kube.apply()
    uid, _ = bench.running(name="bull")
    bench.kube.delete(uid)
    plans = planned(bench)
    bench.kube.writes.clear()
    lines = to_text(plans).splitlines()

    assert code_of(plans) == 10
    assert lines[0] == f"Cluster alpha ({len(lines) - 1} steps)"
    assert "physics/bull: cancel job 2 of svc-physics" in lines[2]
    assert bench.kube.writes == []


def test_a_new_one_would_be_held_and_then_handed_in_as_whom_the_site_says() -> None:
    bench = Bench()
    bench.kube.apply(options={"time": "1"})
    bench.turn()
    bench = Bench(kube=bench.kube)
    bench.kube.apply("new")
    text = to_text(planned(bench))

    assert "physics/new: hold it until its job is over, and write down cluster alpha" in text
    assert "physics/new: hand it in as svc-physics, a script of 19 bytes" in text


def test_what_is_put_off_is_said() -> None:
    bench = Bench()
    for number in range(53):
        bench.kube.apply(f"cow-{number}")
    plans = planned(bench)
    data = to_json(plans)

    assert "3 more are handed in by the turns after that" in to_text(plans)
    assert data["kind"] == "changes"
    assert isinstance(data["clusters"], list)
    assert data["clusters"][0]["put_off"] == 3
    assert {each["step"] for each in data["clusters"][0]["steps"]} == {"Accept", "Submit"}


def test_where_nothing_is_to_be_done_that_is_said() -> None:
    plans = planned(Bench())

    assert (to_text(plans), code_of(plans)) == ("Nothing to do.\n", 0)
    assert to_json(plans)["kind"] == "nothing"
