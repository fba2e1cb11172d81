"""What slurmrestd answers, v0.0.38 (Slurm 22.05) to v0.0.45 (26.05), read as one. Pure.

From release to release numbers became objects with `set` and `infinite`, and a state a list.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from waldur_slurm.errors import InvalidName, UnparsableOutput
from waldur_slurm.model.batch import Component, JobId, Refusal, Refused, Submitted, Task, job_id
from waldur_slurm.model.live import ExitCode, JobListing, LiveJob, UnreadableJob
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import tres_name
from waldur_slurm.slurm.batch.grammar.refusals import known_refusal
from waldur_slurm.slurm.grammar.states import parse_job_state
from waldur_slurm.slurm.live.grammar.values import parse_shared_tres, parse_word

Said = Mapping[str, Any]

CPU = tres_name("cpu")
_NO_VALUE = (2**32 - 2, 2**32 - 1, 2**64 - 2, 2**64 - 1)


class NoList(UnparsableOutput):
    """slurmrestd tells of no job while Slurm keeps one with a word that is not UTF-8."""


def refused(answer: Said) -> Refused:
    """Read why it said no."""
    words = "; ".join(dict.fromkeys(_words_of_errors(answer))) or "slurmrestd gives no reason"
    return known_refusal(words) or Refused(Refusal.OTHER, words)


def _words_of_errors(answer: Said) -> Iterable[str]:
    for error in answer.get("errors") or ():
        if isinstance(error, dict):
            told = (str(error.get(key) or "") for key in ("error", "description"))
            yield ": ".join(filter(None, told))


def parse_submitted(answer: Said) -> Submitted | None:
    """Read the number of a new job; None where there is none."""
    number = _number(answer.get("job_id"))
    return Submitted(JobId(number)) if number else None


def parse_listing(answer: Said, now: datetime) -> JobListing:
    """Read all jobs; what cannot be read is one unreadable job. It raises `NoList`."""
    told = answer.get("jobs")
    if not isinstance(told, list):
        raise NoList("slurmrestd's answer has no list of jobs")
    jobs, unreadable = [], []
    for each in told:
        try:
            jobs.append(_job(each, now))
        except (UnparsableOutput, InvalidName, TypeError, AttributeError) as error:
            unreadable.append(UnreadableJob((str(each)[:400],), str(error)))
    return JobListing(tuple(jobs), tuple(unreadable))


def _job(said: Said, now: datetime) -> LiveJob:
    submitted = _time(said.get("submit_time"))
    number = _number(said.get("job_id"))
    if submitted is None or not number:
        raise UnparsableOutput("it has no number, or no time of submission")
    state = parse_job_state("+".join(_words(said.get("job_state"))))
    start, end = _time(said.get("start_time")), _time(said.get("end_time"))
    limit = _number(said.get("time_limit"))
    tres = parse_shared_tres(_text(said, "tres_alloc_str") or _text(said, "tres_req_str"))
    return LiveJob(
        id=_id(said, number),
        number=number,
        submitted=submitted,
        eligible=_time(said.get("eligible_time")),
        start=start,
        end=end,
        considered=_time(said.get("last_sched_evaluation")),
        elapsed_s=_elapsed(said, now, is_over=state.is_terminal),
        priority=_number(said.get("priority")) or 0,
        hosts=_text(said, "nodes"),
        batch_host=_text(said, "batch_host"),
        stdout=_text(said, "stdout_expanded") or _text(said, "standard_output"),
        stderr=_text(said, "stderr_expanded") or _text(said, "standard_error"),
        command=_text(said, "command"),
        work_dir=_text(said, "current_working_directory"),
        comment=_text(said, "comment"),
        name=_text(said, "name"),
        state=state,
        reason=parse_word(_text(said, "state_reason")),
        exit=_exit(said.get("exit_code")),
        limit_s=None if limit is None else limit * 60,
        uid=_number(said.get("user_id")) or 0,
        gid=_number(said.get("group_id")) or 0,
        user=UserName(_text(said, "user_name")),
        account=AccountName(_text(said, "account")),
        partition=_text(said, "partition"),
        qos=_text(said, "qos"),
        nice=_number(said.get("nice")) or 0,
        restarts=_number(said.get("restart_cnt")) or 0,
        may_requeue=bool(said.get("requeue")),
        node_count=_number(said.get("node_count")) or 0,
        cpus=_number(said.get("cpus")) or tres.get(CPU, 0),
        tasks=_number(said.get("tasks")),
        tres=tres,
        tres_per_node=_text(said, "tres_per_node"),
        requested_hosts=_text(said, "required_nodes"),
        scheduled_hosts=_text(said, "scheduled_nodes"),
        features=_text(said, "features"),
        reservation=_text(said, "resv_name"),
        licenses=_text(said, "licenses"),
        dependency=_text(said, "dependency"),
        wckey=_text(said, "wckey"),
        association=_number(said.get("association_id")) or 0,
        profile=_profile(said.get("profile")),
    )


def _id(said: Said, number: int) -> JobId:
    """Name it as squeue does."""
    array, task = _number(said.get("array_job_id")), _number(said.get("array_task_id"))
    if array and task is not None:
        return JobId(array, Task(task))
    waiting = _text(said, "array_task_string")
    if array and waiting:
        throttle = _number(said.get("array_max_tasks"))
        return job_id(f"{array}_[{waiting.partition('%')[0]}{f'%{throttle}' if throttle else ''}]")
    het = _number(said.get("het_job_id"))
    if het:
        return JobId(het, Component(_number(said.get("het_job_offset")) or 0))
    return JobId(number)


def _elapsed(said: Said, now: datetime, *, is_over: bool) -> int:
    """Return how long it ran, as slurmctld itself counts, without the time of being suspended."""
    start, end = _number(said.get("start_time")), _number(said.get("end_time"))
    words = _words(said.get("job_state"))
    before = _number(said.get("pre_sus_time")) or 0
    if not start or "PENDING" in words:
        return 0
    if "SUSPENDED" in words:
        return before
    until = end if is_over and end else int(now.timestamp())
    resumed = _number(said.get("suspend_time"))
    return max(until - resumed + before if resumed else until - start, 0)


def _text(said: Said, key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _number(value: object) -> int | None:
    """Read a number in either form; None where it is not set, or without a limit."""
    if isinstance(value, dict):
        is_set = value.get("set", True) and not value.get("infinite", False)
        value = value.get("number") if is_set else None
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value in _NO_VALUE:
        return None
    return value


def _time(value: object) -> datetime | None:
    seconds = _number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < 2**33 else None


def _profile(value: object) -> str:
    """Read what is measured of it, in squeue's words."""
    words = [word.title() for word in _words(value) if word != "NOT_SET"]
    return ",".join(words) or "NotSet"


def _exit(value: object) -> ExitCode:
    """Read the number that `wait` gave, or what newer releases make of it."""
    if isinstance(value, dict) and "return_code" in value:
        signal = value.get("signal")
        number = _number(signal.get("id")) if isinstance(signal, dict) else None
        return ExitCode(_number(value["return_code"]) or 0, number or 0)
    raw = _number(value) or 0
    return ExitCode(raw >> 8, raw & 0x7F)
