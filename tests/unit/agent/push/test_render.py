"""A plan on paper says everything that the cycle would, and nothing on an idle one."""

from datetime import timedelta

from tests.unit.agent.push.site import CPU, EDGE, HOUR, NOON, Site
from waldur_slurm.agent.push.render import kind_of, to_json, to_text
from waldur_slurm.agent.report.paper import Kind
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month


def test_an_idle_plan_says_so(site: Site) -> None:
    plan = site.cycle().plan()

    assert kind_of(plan) is Kind.NOTHING
    assert to_text(plan) == "Nothing to do.\n"


def test_steps_are_sentences_and_make_the_plan_one_of_changes(today: Site) -> None:
    alpha = today.allocation("alpha", "ann", gpu=5)
    today.account("alpha", "ann", gpu=8)
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    gone = today.allocation("gone")
    today.drop_account("gone")

    plan = today.cycle().plan()
    text = to_text(plan)

    assert kind_of(plan) is Kind.CHANGES
    assert "report usage of alpha in 2026-11: cpu 2.00" in text
    assert "report cpu of alpha in 2026-11 by person: ann 2.00" in text
    assert "report limits of alpha: gres/gpu=8" in text
    steps = to_json(plan)["steps"]
    assert isinstance(steps, list)
    assert {step["resource"] for step in steps} >= {alpha.uuid, gone.uuid}


def test_findings_alone_are_drift(older: Site) -> None:
    older.allocation("alpha", "ann", gpu=5)
    older.job("alpha", "ann", EDGE - 3 * HOUR, EDGE - HOUR)
    older.account("alpha", "ann")
    older.slurm.runaway = [older.job("alpha", "ann", EDGE - HOUR)]
    older.move_to(EDGE + timedelta(hours=2))

    plan = older.cycle().plan()
    text = to_text(plan)

    assert kind_of(plan) is Kind.DRIFT_ONLY
    assert "alpha: Slurm unlimited, Waldur gres/gpu=5" in text
    assert "alpha in 2026-10: cpu 2.00, Waldur holds 0" in text
    assert "of ann in alpha: not counted" in text
    assert to_json(plan)["kind"] == "drift-only"


def test_what_is_not_told_says_why(today: Site) -> None:
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "stranger", NOON - 3 * HOUR, NOON - HOUR)
    today.hold(alpha, CPU, Month(2026, 11), "90.00")

    text = to_text(today.cycle().plan())

    assert "decrease: alpha: cpu of 2026-11 fell from 90.00 to 2.00" in text
    assert "stranger in alpha, 2026-11" not in text
    assert AccountName("alpha") in text
