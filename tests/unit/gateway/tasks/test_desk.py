"""A task is handed in once: whatever is refused, lost, repeated or cut off on the way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from tests.fakes.cluster import main_partition
from tests.unit.gateway.tasks.desks import SLURM, TaskDesk
from tests.unit.gateway.tasks.makers import UUID, hello
from waldur_slurm.errors import AccountingDown, FileFailed, NotPermitted, StateError, TransportError
from waldur_slurm.gateway.errors import (
    Busy,
    Denied,
    GatewayError,
    NotNow,
    OtherBody,
    OutcomeUnknown,
    Refused,
    WrongAsk,
)
from waldur_slurm.gateway.post.letter import Method, Occasion
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.hand.requests import parts_of
from waldur_slurm.model.batch import JobId

PLACE = "/home/ann/slurm-proxy-test"


@pytest.fixture
def desk() -> TaskDesk:
    return TaskDesk()


def test_a_task_has_its_directories_its_job_and_its_monitor(desk: TaskDesk) -> None:
    accepted = desk.submit()

    assert not accepted.is_again
    assert accepted.placed.job_id == JobId(1)
    for name in ("", "/input", "/output", "/error"):
        assert desk.tree.nodes[parts_of(f"{PLACE}{name}")].kind == "directory"
    (job,) = desk.submits.queue.jobs
    assert (job.user, job.sheet.options["job-name"]) == ("ann", "slurm-proxy-test.generic")
    assert (job.sheet.options["comment"] or "").endswith(f" {UUID}")
    (monitor,) = desk.monitors
    assert (monitor.owner, monitor.user, monitor.uuid) == ("token:ann", "ann", UUID)
    assert (monitor.job, monitor.submitted) == (JobId(1), accepted.placed.submitted)
    assert monitor.task == hello(slurm=SLURM)
    assert monitor.methods == {Method.EMAIL: hello()["notification"]["params"]["email"]}
    assert monitor.occasions == {Occasion.TERMINAL}
    assert accepted.task == desk.kept[0]


def test_the_same_task_again_is_told_its_job(desk: TaskDesk) -> None:
    first, again = desk.submit(), desk.submit()

    assert again.is_again
    assert again.placed == first.placed
    assert again.task == first.task
    assert (desk.jobs, len(desk.monitors)) == (1, 1)


def test_what_slurm_did_not_tell_in_time_is_known_when_it_is_asked_again(desk: TaskDesk) -> None:
    desk.submits.cluster.go_down()
    first = desk.submit()
    silent = desk.submit()
    desk.submits.cluster.come_back()
    again = desk.submit()

    assert (first.placed.submitted, silent.placed.submitted) == (None, None)
    assert again.placed.submitted is not None
    assert (desk.jobs, desk.kept[0].placed) == (1, again.placed)
    assert desk.monitors[0].submitted == again.placed.submitted


def test_the_act_is_written_down_once_with_what_it_made(desk: TaskDesk) -> None:
    desk.submit()
    desk.submit()

    (act,) = desk.submits.events("task.submit")
    assert act.fields == {
        "who": "token:ann", "user": "ann", "request_id": "r1", "task": UUID, "cluster": "lab",
        "directories": (PLACE, f"{PLACE}/input", f"{PLACE}/output", f"{PLACE}/error"),
        "job": "1", "ended": "done",
    }  # fmt: skip


def test_another_task_under_the_same_uuid_is_refused_with_the_job_there_is(desk: TaskDesk) -> None:
    desk.submit()

    with pytest.raises(OtherBody, match="stands for another task, whose job is 1"):
        desk.submit(cmd="other")
    assert desk.jobs == 1


def test_two_owners_have_uuids_of_their_own(desk: TaskDesk) -> None:
    desk.submit()
    desk.submit("bob", username="bob")

    assert desk.jobs == 2
    assert [monitor.owner for monitor in desk.monitors] == ["token:ann", "token:bob"]


def test_a_uuid_of_a_monitor_is_refused_and_stays_it(desk: TaskDesk) -> None:
    outside = Monitor(
        id="m", owner="token:ann", cluster="lab", user=desk.submits.actor().person.name,
        made=desk.submit().task.made, job=JobId(77), uuid="outside",
    )  # fmt: skip
    desk.tasks.monitors.add(outside)

    with pytest.raises(OtherBody, match="is one of a monitor of job 77"):
        desk.submit(uuid="outside")
    assert outside in desk.monitors


def test_what_slurm_refuses_frees_the_uuid_and_the_monitor(desk: TaskDesk) -> None:
    with pytest.raises(Refused) as raised:
        desk.submit(slurm={**SLURM, "partition": "nowhere"})

    assert raised.value.refusal == "no-such-partition"
    assert desk.is_empty()
    assert not desk.submit().is_again


def test_a_slurm_that_is_away_frees_it_too(desk: TaskDesk) -> None:
    desk.submits.queue.is_down = True
    with pytest.raises(NotNow):
        desk.submit()

    assert desk.is_empty()


@pytest.mark.parametrize(
    ("outage", "error"),
    [
        (NotPermitted("not below a root"), Denied),
        (FileFailed("Permission denied", "EACCES"), Denied),
        (FileFailed("Not a directory", "ENOTDIR"), Refused),
        (FileFailed("Disk quota exceeded", "EDQUOT"), Refused),
        (TransportError("the hand was cut off"), NotNow),
    ],
)
def test_a_directory_that_cannot_be_made_leaves_no_task(
    desk: TaskDesk, outage: Exception, error: type[GatewayError]
) -> None:
    desk.tree.outage = outage
    with pytest.raises(error):
        desk.submit()
    assert desk.is_empty()


def test_an_unknown_name_and_letters_that_may_not_be_asked_leave_nothing(desk: TaskDesk) -> None:
    with pytest.raises(WrongAsk):
        desk.submit(name="nosuch")
    desk.refused = "token:ann"
    with pytest.raises(Denied, match="no letters"):
        desk.submit()

    assert desk.is_empty()
    assert desk.tree.acts == 0


def test_hours_beyond_the_partitions_limit_leave_nothing(desk: TaskDesk) -> None:
    desk.partitions = (replace(main_partition(), max_time_s=3600),)
    with pytest.raises(Refused, match="1800 minutes are more than the 60"):
        desk.submit()
    assert desk.is_empty()

    desk.partitions = None
    assert desk.submit().placed.job_id == JobId(1)


def test_an_answer_that_was_lost_is_found_by_the_same_task(desk: TaskDesk) -> None:
    with desk.submits.losing("answers"), pytest.raises(OutcomeUnknown):
        desk.submit()
    assert desk.woken == 1
    assert [monitor.job for monitor in desk.monitors] == [None]

    again = desk.submit()
    assert again.is_again
    assert (desk.jobs, [monitor.job for monitor in desk.monitors]) == (1, [JobId(1)])


def test_a_request_that_never_arrived_is_handed_in_again_once_that_is_certain(
    desk: TaskDesk,
) -> None:
    with desk.submits.losing("requests"), pytest.raises(OutcomeUnknown):
        desk.submit()
    with pytest.raises(OutcomeUnknown):
        desk.submit()
    desk.submits.wait(minutes=2)
    desk.start()

    assert not desk.submit().is_again
    assert (desk.jobs, len(desk.monitors), len(desk.kept)) == (1, 1, 1)


def test_a_retry_whose_directories_fail_does_not_forget_the_job_there_may_be(
    desk: TaskDesk,
) -> None:
    with desk.submits.losing("answers"), pytest.raises(OutcomeUnknown):
        desk.submit()
    desk.tree.outage = NotPermitted("not any more")

    assert desk.submit().placed.job_id == JobId(1)


class CutOff(BaseException):
    """Stands for a kill: nothing after it is done."""


class Dying:
    """A place for tasks whose gateway ends before, or after, one of its writes."""

    def __init__(self, desk: TaskDesk, name: str, when: str) -> None:
        self._desk = desk
        self._name = name
        self._when = when

    def __getattr__(self, name: str) -> object:
        work = getattr(self._desk.tasks, name)
        if name != self._name:
            return work

        def dying(*arguments: object) -> None:
            if self._when == "after":
                work(*arguments)
            raise CutOff

        return dying


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", ["reserve", "close"])
@pytest.mark.parametrize("retries", [True, False])
def test_a_gateway_that_ends_leaves_what_the_next_one_finds(
    desk: TaskDesk, write: str, when: str, retries: bool
) -> None:
    desk.desk.tasks = Dying(desk, write, when)  # type: ignore[assignment]  # it has the methods
    with pytest.raises(CutOff):
        desk.submit()
    made = desk.jobs
    desk.start()

    if retries:
        assert desk.submit().is_again is bool(made)
        assert (desk.jobs, len(desk.monitors)) == (1, 1)
    for task in desk.tasks.unsettled():
        desk.desk.settle(task)
    assert desk.tasks.unsettled() == ()
    assert len(desk.monitors) == len(desk.kept) == desk.jobs
    assert all(monitor.job == JobId(1) for monitor in desk.monitors)


def test_settling_leaves_alone_what_somebody_has_in_hand_or_has_done(desk: TaskDesk) -> None:
    with desk.submits.losing("answers"), pytest.raises(OutcomeUnknown):
        desk.submit()
    (left,) = desk.tasks.unsettled()
    desk.submit()

    settled = desk.desk.settle(left)
    assert settled is not None
    assert settled.placed is not None
    desk.tasks.monitors.drop(left.monitor)
    assert desk.desk.settle(left) is None


def test_many_who_hand_in_the_same_task_at_once_make_one_job(desk: TaskDesk) -> None:
    gate = Barrier(20)

    def submit(_number: int) -> str:
        gate.wait()
        try:
            return "again" if desk.submit().is_again else "first"
        except Busy as error:
            assert error.after_s > 0  # noqa: PT017 - either is well
            return "busy"

    with ThreadPoolExecutor(20) as pool:
        ends = [*pool.map(submit, range(20))]
    assert ends.count("first") == 1
    assert (desk.jobs, len(desk.monitors)) == (1, 1)


def test_a_task_is_busy_while_it_is_handed_in(desk: TaskDesk) -> None:
    started, release = Barrier(2), Barrier(2)
    make = desk.tasks.reserve

    def slow(task: KeptTask, monitor: Monitor) -> object:
        found = make(task, monitor)
        started.wait(10)
        release.wait(10)
        return found

    desk.tasks.reserve = slow  # type: ignore[method-assign,assignment]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(desk.submit)
        started.wait(10)
        with pytest.raises(Busy):
            desk.submit()
        with pytest.raises(Busy):
            desk.desk.settle(desk.tasks.unsettled()[0])
        release.wait(10)
        assert first.result().placed.job_id == JobId(1)


def test_a_store_that_does_not_serve_does_nothing(desk: TaskDesk) -> None:
    desk.tasks.is_broken = True
    with pytest.raises(NotNow, match="nothing was done"):
        desk.submit()
    assert desk.jobs == 0


def test_a_job_that_cannot_be_written_down_is_found_again(desk: TaskDesk) -> None:
    def broken(task: KeptTask, placed: Placed) -> None:
        raise StateError("the disk is full")

    desk.tasks.close = broken  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown):
        desk.submit()
    assert desk.woken == 1
    del desk.tasks.close

    assert desk.submit().is_again
    assert desk.jobs == 1


def test_the_accountings_silence_is_no_error_of_a_submit(desk: TaskDesk) -> None:
    desk.submits.history.outage = AccountingDown(("sacct",), 1, "slurmdbd is away")

    assert desk.submit().placed.job_id == JobId(1)


def test_a_uuid_whose_monitor_was_dropped_is_free_for_a_job_of_its_own(desk: TaskDesk) -> None:
    first = desk.submit()
    desk.tasks.monitors.drop(first.task.monitor)

    assert desk.submit().placed.job_id == JobId(2)
