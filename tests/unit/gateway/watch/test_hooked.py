"""What follows where an epilog tells of a job."""

from tests.unit.gateway.watch.lookout import Post
from tests.unit.gateway.watch.looks import row
from tests.unit.gateway.watch.monitors import monitor
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.watch.hooked import AT_ONCE, PAUSES_S
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.model.batch import JobId


def test_a_job_that_an_epilog_told_of_is_looked_at_alone_until_it_has_ended() -> None:
    post = Post()
    post.add(monitor(), monitor("other", 2))
    post.cluster.put(row())
    post.cluster.put(row(number=2))
    post.watch.step()
    post.cluster.put(row("COMPLETING"))
    post.cluster.put(row("FAILED", 2))

    post.watch.hook(1)
    after_s = post.watch.step()

    assert after_s <= PAUSES_S[1]
    assert (post.stage(), post.stage("other")) == (Stage.WATCHING, Stage.WATCHING)
    post.cluster.put(row("COMPLETED"))
    post.wait(1)
    assert post.watch.step() > PAUSES_S[-1]
    assert (post.stage(), post.stage("other")) == (Stage.ENDED, Stage.WATCHING)
    assert post.cluster.calls == {"read_jobs": 1, "read_job": 2}


def test_a_job_that_does_not_end_is_left_to_the_interval_after_a_while() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())
    post.watch.step()
    post.watch.hook(1)

    for _ in range(50):
        post.watch.step()
        post.wait(1)

    assert post.cluster.calls == {"read_jobs": 1, "read_job": len(PAUSES_S)}


def test_what_nobody_watches_costs_nothing_whoever_tells_of_it() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())
    post.watch.step()

    for number in range(2, 1000):
        post.watch.hook(number)
    post.watch.step()

    assert post.cluster.calls == {"read_jobs": 1}


def test_many_jobs_that_end_at_once_are_looked_at_in_one_list() -> None:
    post = Post()
    numbers = range(1, AT_ONCE + 3)
    for number in numbers:
        post.add(monitor(f"m{number}", number))
        post.cluster.put(row(number=number))
    post.watch.step()
    for number in numbers:
        post.cluster.put(row("NODE_FAIL", number))
        post.watch.hook(number)

    post.wait(2)
    post.watch.step()

    assert post.monitors.counts() == {Stage.ENDED: len(numbers)}
    assert post.cluster.calls == {"read_jobs": 2}


def test_a_silent_slurm_that_an_epilog_told_of_ends_nothing() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())
    post.watch.step()
    post.cluster.go_down()
    post.watch.hook(1)

    post.watch.step()

    assert (post.stage(), post.letters) == (Stage.WATCHING, [])


def test_an_array_task_is_found_by_the_whole_array_that_an_epilog_names() -> None:
    post = Post()
    post.add(monitor(job=JobId(7)))
    post.history.go_down(AccountingDown(("sacct",), 1, "down"))
    post.cluster.put(row("FAILED", 7))

    post.watch.hook(7)
    post.watch.step()

    assert post.stage() is Stage.ENDED
