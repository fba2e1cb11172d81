"""What goes on beside everything else ends with what it went on beside."""

from threading import Event, get_ident

import pytest

from waldur_slurm.gateway.beside import beside


class Work:
    def __init__(self) -> None:
        self.begun = Event()
        self.leaving = Event()
        self.ended = Event()
        self.thread = 0

    def run(self) -> None:
        self.thread = get_ident()
        self.begun.set()
        self.leaving.wait(30)
        self.ended.set()


def test_it_goes_on_in_a_thread_of_its_own_and_has_ended_when_the_body_has() -> None:
    work = Work()
    with beside("work", work.run, work.leaving.set):
        assert work.begun.wait(30)
        assert work.thread != get_ident()
        assert not work.ended.is_set()
    assert work.ended.is_set()


def test_it_ends_also_where_the_body_fails() -> None:
    work = Work()
    with pytest.raises(ValueError, match="no"), beside("work", work.run, work.leaving.set):
        raise ValueError("no")
    assert work.ended.is_set()
