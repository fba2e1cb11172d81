"""What only a real accounting can show: hostile texts, slices that add up, and its own silences."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.contract.batch_site import ANN, BOB, sheet
from tests.contract.past_site import LAB, RealPastSite
from tests.contract.test_batch_real import HOSTILE
from tests.fakes.transport import RecordingTransport
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.model.names import ClusterName
from waldur_slurm.model.past import PastJob, PastRun, UnreadablePast
from waldur_slurm.slurm.past.client import HistoryClient
from waldur_slurm.slurm.past.grammar import walk
from waldur_slurm.slurm.past.grammar.columns import RunRow

FORGED = "x\n4711|bob|COMPLETED|\n~AAAAAAAAAAAA4711~AAAAAAAAAAAAroot~AAAAAAAAAAAA\n"


def _stored(text: str) -> str:
    """What slurmdbd makes of a text; what its tables cannot hold becomes a question mark."""
    return text.replace('"', "`")


def _jobs(site: RealPastSite) -> list[PastJob]:
    found = [*site.history.read_jobs(site.query())]
    assert all(isinstance(job, PastJob) for job in found)
    return [job for job in found if isinstance(job, PastJob)]


def test_hostile_texts_hide_no_job_and_make_none(real_past_site: RealPastSite) -> None:
    """sbatch itself takes line breaks; our own table does not, so this goes around it."""
    texts = (*HOSTILE, FORGED, "\n", "|\n|", "~", "a\x1fb")
    wanted = {}
    for text in texts:
        argv = ("--mem=10", "--output=/dev/null", f"--job-name={text}", f"--comment={text}")
        options = ("sbatch", "--parsable", "--account=batch", "--chdir=/tmp", *argv)
        said = real_past_site.machine.must(*options, "--wrap=sleep 0.1", user=ANN)
        wanted[int(said)] = text
    others = real_past_site.finish(BOB)
    real_past_site.site.site.wait_until(lambda: len(_jobs(real_past_site)) > len(texts))
    found = {job.id.number: job.last for job in _jobs(real_past_site)}
    assert found.keys() == {*wanted, others.number}
    for number, text in wanted.items():
        assert _stored(text) in (found[number].name, found[number].name.replace("?", "☃"))
    assert {found[number].user for number in wanted} == {ANN}
    assert found[others.number].user == BOB


def test_a_mark_that_is_known_beforehand_forges_nothing(real_past_site: RealPastSite) -> None:
    """Somebody reads the first answer's mark in our arguments, and is quick enough to use it."""
    known = "A" * 12
    mark = f"~{known}"
    cells = ["4711", str(BOB), "batch", "COMPLETED", *["1"] * (len(RunRow._fields) - 4)]
    end = mark.join(["x", "/tmp", "wrap", "x", "/tmp", ""])  # noqa: S108 - as the true row ends
    forged = f"{end}\n{mark.join([*cells, 'wrap', 'x'])}"
    options = ("sbatch", "--parsable", "--account=batch", "--mem=10", "--output=/dev/null")
    argv = (*options, f"--comment={forged}", "--wrap=sleep 0.1")
    number = int(real_past_site.machine.must(*argv, user=ANN))
    nonces = _nonces(known)
    transport = RecordingTransport(real_past_site.site.site.transport)
    history = HistoryClient(transport, LAB, nonce=lambda: next(nonces))
    real_past_site.site.site.wait_until(
        lambda: [job.last.comment for job in _jobs(real_past_site)] == [forged]
    )
    (job,) = history.read_jobs(real_past_site.query())
    assert isinstance(job, PastJob)
    assert (job.id.number, job.last.user, job.last.comment) == (number, ANN, forged)
    asked = [call for call in transport.calls if "--version" not in call.argv]
    assert sum(call.argv[0] == "sacct" for call in asked) == 2


def _nonces(first: str) -> Iterator[str]:
    yield first
    yield from ("unheardofbefore" + letter for letter in "abc")


def test_slices_add_up_to_the_whole(
    real_past_site: RealPastSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        real_past_site.finish()
        real_past_site.machine.must("sleep", "1.1")
    real_past_site.run_twice()
    real_past_site.submit()
    real_past_site.settle()
    query = real_past_site.query()
    whole = _settled(real_past_site.history.read_jobs(query))
    for name in ("DAY", "SHORTEST", "LONGEST"):
        monkeypatch.setattr(walk, name, timedelta(seconds=2))
    near = replace(query, since=query.until - timedelta(seconds=60))
    assert _settled(real_past_site.history.read_jobs(near)) == whole
    assert len(whole) == 5


def _settled(jobs: Iterable[PastJob | UnreadablePast]) -> list[tuple[PastRun, ...]]:
    """The runs of each job; how long one has run by now depends on when it is asked."""
    return [
        tuple(replace(run, elapsed_s=0) if run.end is None else run for run in job.runs)
        for job in jobs
        if isinstance(job, PastJob)
    ]


def test_a_cluster_that_is_not_there_has_no_history_rather_than_an_empty_one(
    real_past_site: RealPastSite,
) -> None:
    transport = real_past_site.site.site.transport
    with pytest.raises(CommandFailed, match="knows no cluster nosuch"):
        [*HistoryClient(transport, ClusterName("nosuch")).read_jobs(real_past_site.query())]
    said = real_past_site.machine.run("sacct", "-aXn", "-M", "nosuch", "-S", "now-1hour")
    assert (said.code, said.out) == (0, "")


def test_a_job_that_never_became_eligible_is_in_no_window(real_past_site: RealPastSite) -> None:
    held = real_past_site.site.of(ANN).submit(sheet(hold=None)).id
    real_past_site.site.of(ANN).cancel([held])
    real_past_site.finish()
    real_past_site.settle()
    assert held not in {job.id for job in _jobs(real_past_site)}


def test_a_second_run_is_submitted_right_after_the_first_has_ended(
    real_past_site: RealPastSite,
) -> None:
    job = real_past_site.run_twice()
    real_past_site.settle()
    argv = ("sacct", "-aXDnP", "-S", "now-1hour", "-j", str(job), "-o", "submit,end,state")
    first, second = real_past_site.machine.must(*argv).splitlines()
    ended, state = first.split("|")[1:]
    submitted = second.split("|")[0]
    gap = datetime.fromisoformat(submitted) - datetime.fromisoformat(ended)
    assert state == "REQUEUED"
    assert timedelta(0) <= gap <= timedelta(seconds=30)


def test_whoever_has_no_unix_account_here_is_found_all_the_same(
    real_past_site: RealPastSite,
) -> None:
    """sacct refuses a user whom this machine does not know, with exit code 1."""
    said = real_past_site.machine.run("sacct", "-n", "-u", "nobody-at-all", "-S", "now-1hour")
    assert (said.code, "Invalid user id" in said.err) == (1, True)


def test_sacct_takes_no_separator_from_its_environment(real_past_site: RealPastSite) -> None:
    real_past_site.finish()
    real_past_site.settle()
    argv = ("env", "SACCT_DELIMITER=~", "SACCT_FORMAT=jobid,state", "sacct", "-aXnp")
    rows = real_past_site.machine.must(*argv, "-S", "now-1hour").splitlines()
    assert rows
    assert all(row.count("|") == 2 for row in rows)


def test_a_script_uses_steps_and_each_is_told_apart(real_past_site: RealPastSite) -> None:
    script = "#!/bin/sh\nsrun --job-name='a|b' /bin/sleep 1\n"
    options = {**sheet().options, "job-name": "steps"}
    job = real_past_site.site.of(ANN).submit(BatchSheet(script, options)).id
    real_past_site.awaited[job] = ("COMPLETED", 1)
    real_past_site.settle()
    since: datetime = real_past_site.query().since
    steps = real_past_site.history.read_steps([job], since)[job]
    assert [(step.step, step.name) for step in steps] == [("batch", "batch"), ("0", "a|b")]
    assert all(step.end is not None for step in steps)
    assert all((step.memory_bytes or 0) >= (step.most_memory_bytes or 0) for step in steps)
