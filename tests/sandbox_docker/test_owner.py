"""When a container's starter counts as gone."""

import subprocess
from dataclasses import replace

import pytest

from sandbox.docker.owner import Owner


def test_a_process_that_runs_is_not_gone() -> None:
    assert not Owner.this_process().is_gone


def test_what_stands_on_a_label_reads_back() -> None:
    here = Owner.this_process()
    assert Owner.parse(str(here)) == here


@pytest.mark.parametrize("label", ["", "a b c", "a b c d", "host boot 12 13 14"])
def test_a_label_that_is_not_ours_names_nobody(label: str) -> None:
    assert Owner.parse(label) is None


def test_a_process_that_ended_is_gone() -> None:
    with subprocess.Popen(("/bin/true",)) as ended:
        ended.wait()
    assert replace(Owner.this_process(), pid=ended.pid).is_gone


def test_a_process_number_that_was_given_again_does_not_count() -> None:
    assert replace(Owner.this_process(), started="1").is_gone


def test_nothing_survives_a_reboot() -> None:
    assert replace(Owner.this_process(), boot="another").is_gone


def test_a_process_of_another_machine_is_never_taken_for_gone() -> None:
    assert not replace(Owner.this_process(), machine="another", started="1").is_gone
