"""What is open is settled beside everything else, from the start on."""

import time
from collections.abc import Callable
from dataclasses import replace

from tests.unit.gateway.submits.desk import Desk


def soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_start_settles_what_an_earlier_one_left_open() -> None:
    desk = Desk()
    desk.lose()
    desk.start()

    with desk.submitter.settler.running():
        soon(lambda: not desk.journal.unsettled())

    assert desk.cluster.calls["read_jobs"] == 1


def test_a_lost_answer_wakes_it() -> None:
    desk = Desk()
    with desk.submitter.settler.running():
        time.sleep(0.05)
        desk.lose()
        soon(lambda: not desk.journal.unsettled())


def test_where_nothing_is_open_slurm_is_asked_nothing() -> None:
    desk = Desk()
    desk.submit()
    asked = dict(desk.cluster.calls)

    assert desk.submitter.settler.settle_all() is None
    assert desk.cluster.calls == asked


def test_it_looks_again_soon_while_an_attempt_is_young_and_seldom_later() -> None:
    desk = Desk()
    desk.cluster.configuration["AccountingStoreFlags"] = "(null)"
    desk.lose("requests")
    assert desk.submitter.settler.settle_all() == 5

    desk.wait(minutes=20)
    assert desk.submitter.settler.settle_all() == 600


def test_a_journal_in_trouble_is_told_of_once_and_tried_again() -> None:
    desk = Desk()
    desk.lose()
    desk.journal.is_broken = True
    with desk.submitter.settler.running():
        soon(lambda: bool(desk.events("submit.unsettled")))
        desk.submitter.settler.wake()
        time.sleep(0.05)
        desk.journal.is_broken = False
        desk.submitter.settler.wake()
        soon(lambda: not desk.journal.unsettled())

    (told,) = desk.events("submit.unsettled")
    assert told.fields == {"error": "the disk is full"}


def test_a_defect_is_told_and_does_not_end_it() -> None:
    desk = Desk()
    desk.lose()
    reads = desk.journal.unsettled
    desk.journal.unsettled = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]  # a defect
    with desk.submitter.settler.running():
        soon(lambda: bool(desk.events("submit.crashed")))
        desk.journal.unsettled = reads  # type: ignore[method-assign]  # mended
        desk.submitter.settler.wake()
        soon(lambda: not desk.journal.unsettled())


def test_an_attempt_of_a_cluster_that_is_gone_stays_open() -> None:
    desk = Desk()
    desk.lose()
    key, attempt = next(iter(desk.journal.kept.items()))
    desk.journal.kept[key] = replace(attempt, cluster="gone")
    desk.submitter.settler.settle_all()

    assert len(desk.journal.unsettled()) == 1
