"""What is said around every answer is known by what is said around a version."""

import pytest

from waldur_slurm.model.names import ClusterName
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.grammar.commands import show_clusters
from waldur_slurm.slurm.grammar.habits import begins_oddly, learn_habit, without_banner

VERSION = "slurm-wlm 22.05.8\n"


def test_numbers_in_it_may_differ_and_nothing_else() -> None:
    habit = learn_habit(Completed(0, f"12 users\n{VERSION}", "waited 3 s"))
    assert habit.leaves(["waited 17 s", "waited 17 s for slurmdbd"]) == (
        "waited 17 s for slurmdbd",
    )
    assert list(without_banner(iter(["7 users", "1|"]), habit)) == ["1|"]
    assert list(without_banner(iter(["no users", "1|"]), habit)) == ["no users", "1|"]


@pytest.mark.parametrize(
    "answer", [Completed(1, VERSION, "x"), Completed(0, "", "x"), Completed(0, "what?\n", "x")]
)
def test_nothing_is_learnt_where_no_version_is_told(answer: Completed) -> None:
    assert learn_habit(answer).leaves(["x"]) == ("x",)


def test_an_answer_shorter_than_a_banner_is_left_as_it_is() -> None:
    habit = learn_habit(Completed(0, f"a\nb\n{VERSION}", ""))
    assert list(without_banner(iter(["a"]), habit)) == ["a"]
    assert list(without_banner(iter(["a", "b"]), habit)) == []
    assert list(without_banner(iter(["1|", "2|"]), learn_habit(Completed(0, VERSION, "")))) == [
        "1|",
        "2|",
    ]


@pytest.mark.parametrize(
    ("argv", "usual"),
    [
        (show_clusters(), "lab|"),
        (commands.show_queue(None), "1|PENDING|1|a|b|"),
        (commands.show_queue(ClusterName("away")), "1|PENDING|1|a|b|"),
    ],
)
def test_only_an_answer_that_begins_as_none_does_is_odd(argv: Argv, usual: str) -> None:
    assert not begins_oddly(argv, usual)
    assert begins_oddly(argv, "Welcome to the cluster")
