"""What people read."""

from dataclasses import replace

from tests.unit.gateway.post.letters import FACTS, letter
from waldur_slurm.gateway.past.efficiency import Efficiency
from waldur_slurm.gateway.post.letter import Occasion
from waldur_slurm.gateway.post.words import TRIAL, elapsed, subject, text


def test_without_words_of_his_own_a_user_gets_a_sentence_and_the_facts() -> None:
    assert subject(letter()) == "Slurm job 4711 (fit) ended: COMPLETED"
    assert text(letter(), has_facts=True) == (
        "Slurm job 4711 (fit) of ann ended: COMPLETED, exit code 0:0, elapsed 01:02:03\n"
        "\n"
        "Job:         4711 (fit)\n"
        "User:        ann\n"
        "Cluster:     lab\n"
        "State:       COMPLETED\n"
        "Exit code:   0:0\n"
        "Submitted:   2026-11-30 07:00:00 UTC\n"
        "Started:     2026-11-30 07:57:57 UTC\n"
        "Ended:       2026-11-30 09:00:00 UTC\n"
        "Elapsed:     01:02:03\n"
        "Nodes:       n[1-2]\n"
        "Used:        42% of its CPUs' time, 50% of its time limit"
    )


def test_the_users_words_come_as_he_wrote_them_but_for_the_variables() -> None:
    body = "Hi!\n  {name} ({job_id}) of {user}: {state}/{exit_code} {elapsed} {other} {0} {{x}} %s"
    own = letter(parameters={"body": body, "subject": "{name}: {state}"})

    assert subject(own) == "fit: COMPLETED"
    assert text(own, has_facts=False) == (
        "Hi!\n  fit (4711) of ann: COMPLETED/0:0 01:02:03 {other} {0} {{x}} %s"
    )
    assert text(own, has_facts=True).startswith("Hi!\n  fit (4711)")


def test_a_name_of_a_job_is_one_line_and_no_template() -> None:
    hostile = letter(facts=replace(FACTS, name="x\nState: COMPLETED {user}\u202e"))
    shown = "x\N{REPLACEMENT CHARACTER}State: COMPLETED {user}\N{REPLACEMENT CHARACTER}"

    assert subject(hostile) == f"Slurm job 4711 ({shown}) ended: COMPLETED"
    lines = text(replace(hostile, parameters={"body": "{name}"}), has_facts=True).splitlines()
    assert lines[0] == shown
    assert len([line for line in lines if line.startswith("State:")]) == 1


def test_what_is_not_known_is_not_guessed() -> None:
    bare = replace(FACTS, exit_code=None, elapsed_s=None, ended=None, nodes="")
    written = text(letter(facts=replace(bare, efficiency=Efficiency())), has_facts=True)

    assert "exit code unknown, elapsed unknown" in written
    assert "Ended:" not in written
    assert "Nodes:" not in written
    assert "Used:" not in written


def test_a_job_that_goes_on_has_no_exit_code() -> None:
    started = letter(event=Occasion.STARTED, facts=replace(FACTS, state="RUNNING"))

    assert subject(started) == "Slurm job 4711 (fit) started: RUNNING"
    assert text(started, has_facts=False) == "Slurm job 4711 (fit) of ann started."


def test_a_job_that_was_put_back_says_why_it_waits() -> None:
    facts = replace(FACTS, state="REQUEUE_HOLD", waits="It is held.\nRelease it.")
    back = letter(event=Occasion.REQUEUED, facts=facts)
    lines = text(back, has_facts=True).splitlines()
    assert "Waits:       It is held.\N{REPLACEMENT CHARACTER}Release it." in lines


def test_a_letter_to_try_it_says_that_no_job_is_concerned() -> None:
    trial = letter(event=Occasion.TRIAL, facts=None)

    assert subject(trial) == "Slurm: a letter to try it"
    assert text(trial, has_facts=True) == TRIAL


def test_times_are_written_as_slurm_does() -> None:
    assert [elapsed(seconds) for seconds in (None, 0, 59, 3600, 93784)] == [
        "unknown", "00:00:00", "00:00:59", "01:00:00", "1-02:03:04",
    ]  # fmt: skip
