"""Figures of a few allocations are carried on to many openly, and never made up."""

import pytest

from benchmarks.peers import table
from benchmarks.peers.figures import Cost
from benchmarks.peers.outcome import Outcome, Work
from benchmarks.peers.usage import Correctness


def cost(seconds: float, processes: float = 0, megabytes: float = 30.0) -> Cost:
    return Cost(
        seconds=seconds,
        cpu_seconds=0.5,
        client_cpu_seconds=0.25,
        processes=processes,
        requests=7,
        megabytes=megabytes,
    )


def test_what_an_empty_offering_costs_is_not_multiplied() -> None:
    carried = cost(12.0, processes=151, megabytes=31.0).carried_on(cost(2.0, processes=1), 10)

    assert carried == Cost(
        seconds=102.0,
        cpu_seconds=0.5,
        client_cpu_seconds=0.25,
        processes=1501,
        requests=7,
        megabytes=31.0,
    )


def test_noise_never_makes_more_allocations_cost_less_than_none() -> None:
    assert cost(1.9).carried_on(cost(2.0), 10).seconds == 2.0


def test_costs_of_cycles_are_added_and_the_highest_memory_counts() -> None:
    total = cost(1.0, processes=3, megabytes=35.0) + cost(2.0, processes=4, megabytes=40.0)

    assert (total.seconds, total.processes, total.requests) == (3.0, 7, 14)
    assert total.megabytes == 40.0


def test_the_table_says_what_was_carried_on_and_why_an_agent_has_no_figures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    verdict = Correctness(figures=300, right=300, missing=0, reported_part={"cpu": 1.0})
    ours, sampled = Outcome("ours", "today", 100), Outcome("sampled", "today", 10)
    ours.usage = ours.usage_as_requested = verdict
    for outcome in (ours, sampled):
        outcome.costs[Work.MEMBERS] = cost(2.0 if outcome is ours else 100.0)
    absent = Outcome("absent", "classic", 10, trouble="cannot be installed")

    table.show([ours, sampled, absent])

    said = capsys.readouterr().out
    lines = [" ".join(line.replace("│", " ").split()) for line in said.splitlines() if "│" in line]
    members = [line for line in lines if line.startswith(Work.MEMBERS)]
    assert members[0].startswith("members, nothing new ours all 100 2.00 s 1.0")
    assert members[1].startswith("members, nothing new sampled 10 of 100 * 100.00 s 50.0")
    assert members[2] == "members, nothing new absent not measured"
    assert "ours 300 of 300 0 300 of 300 cpu 100.00%" in lines
    assert lines[-1] == "absent not measured"
    assert "carried on to 100" in said
    assert "absent could not be measured: cannot be installed" in said
