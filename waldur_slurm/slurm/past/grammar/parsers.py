"""The accounting's rows to values, or `UnparsableOutput`; never a guess. Pure."""

import re

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.past import Account, Membership, PastOutput, PastRun, PastStep, Person
from waldur_slurm.slurm.grammar.rows import lines_of, split_rows
from waldur_slurm.slurm.grammar.settings import named_things
from waldur_slurm.slurm.grammar.states import parse_job_state
from waldur_slurm.slurm.grammar.values import (
    parse_integer,
    parse_known_moment,
    parse_moment,
    parse_tres,
)
from waldur_slurm.slurm.past.grammar.columns import (
    AccountRow,
    MembershipRow,
    OutputRow,
    PersonRow,
    RunRow,
    StepRow,
)

_EXIT = re.compile(r"(\d{1,10}):(\d{1,10})", re.ASCII)
_CPU_TIME = re.compile(
    r"(?:(?P<d>\d{1,9})-)?(?:(?P<h>\d{1,9}):)?(?P<m>\d{1,9}):(?P<s>\d{1,2}(?:\.\d{1,9})?)", re.ASCII
)
_BYTES = re.compile(r"(\d{1,20})(?:\.\d{1,9})?([KMGTP]?)", re.ASCII)
_IN_BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_NO_LIMIT = frozenset({"", "UNLIMITED", "Partition_Limit"})
_NO_HOSTS = frozenset({"None assigned", "None", "(null)"})


def parse_run(row: RunRow, texts: tuple[str, ...]) -> PastRun:
    name, comment, work_dir = texts
    return PastRun(
        id=job_id(row.jobid),
        state=parse_job_state(row.state),
        user=UserName(row.user),
        account=AccountName(row.account),
        association=parse_integer(row.associd) if row.associd else None,
        partition=row.partition,
        qos=row.qos,
        submitted=parse_known_moment(row.submit),
        eligible=parse_moment(row.eligible),
        start=parse_moment(row.start),
        end=parse_moment(row.end),
        elapsed_s=parse_integer(row.elapsedraw),
        limit_s=None if row.timelimitraw in _NO_LIMIT else 60 * parse_integer(row.timelimitraw),
        exit=_exit(row.exitcode),
        node_count=parse_integer(row.nnodes),
        cpus=parse_integer(row.alloccpus),
        hosts="" if row.nodelist in _NO_HOSTS else row.nodelist,
        allocated=parse_tres(row.alloctres),
        requested=parse_tres(row.reqtres),
        name=name,
        comment=comment,
        work_dir=work_dir,
        number=_whole(row.jobidraw),
        uid=_whole(row.uid),
        priority=_whole(row.priority),
    )


def parse_step(row: StepRow, texts: tuple[str, ...]) -> PastStep | None:
    """Read a step; None of the row that is the job's own."""
    job, dot, step = row.jobid.partition(".")
    if not dot:
        job_id(job)
        return None
    most, total = _usage(row.tresusageinmax), _usage(row.tresusageintot)
    return PastStep(
        job=job_id(job),
        step=step,
        state=parse_job_state(row.state),
        start=parse_moment(row.start),
        end=parse_moment(row.end),
        elapsed_s=parse_integer(row.elapsedraw),
        cpus=parse_integer(row.alloccpus),
        tasks=parse_integer(row.ntasks) if row.ntasks else None,
        cpu_seconds=parse_cpu_time(row.totalcpu),
        most_memory_bytes=parse_bytes(row.maxrss) if row.maxrss else None,
        gpu_utilization=_whole(total.get("gres/gpuutil")),
        most_gpu_memory_bytes=_bytes(most.get("gres/gpumem")),
        name=texts[0],
        memory_bytes=_bytes(total.get("mem")),
    )


def parse_output(row: OutputRow, texts: tuple[str, ...]) -> PastOutput:
    parse_job_state(row.state)
    stdout, stderr = texts
    return PastOutput(job_id(row.jobid), parse_known_moment(row.submit), stdout, stderr)


def parse_cpu_time(text: str) -> float:
    """Read `00:01.500`, `01:02:03` or `1-02:03:04.5` as seconds."""
    found = _CPU_TIME.fullmatch(text)
    if found is None:
        raise UnparsableOutput(f"not a time of CPUs: {text[:80]!r}")
    days, hours = int(found["d"] or 0), int(found["h"] or 0)
    return ((days * 24 + hours) * 60 + int(found["m"])) * 60 + float(found["s"])


def parse_bytes(text: str) -> int:
    found = _BYTES.fullmatch(text)
    if found is None:
        raise UnparsableOutput(f"not an amount of memory: {text[:80]!r}")
    number = text.removesuffix(found[2]) if found[2] else text
    return int(float(number) * _IN_BYTES[found[2]])


def parse_private(text: str) -> tuple[str, ...]:
    """Read `PrivateData` of slurmdbd, whose settings follow those of the client."""
    _, heading, own = text.partition("SlurmDBD configuration:")
    found = re.search(r"^PrivateData\s*= ?(.*)$", own, re.MULTILINE | re.ASCII)
    if not heading or not found:
        raise UnparsableOutput(f"no configuration of slurmdbd: {text[:200]!r}")
    return named_things(found[1])


def parse_people(text: str) -> tuple[Person, ...]:
    rows = split_rows(lines_of(text), PersonRow, open_column="user")
    return tuple(
        Person(UserName(row.user), AccountName(row.defaultaccount) or None, row.adminlevel)
        for row in rows
    )


def parse_accounts(text: str) -> tuple[Account, ...]:
    return tuple(
        Account(AccountName(row.account), AccountName(row.parentname) if row.parentname else None)
        for row in split_rows(lines_of(text), AccountRow, open_column="account")
        if not row.user
    )


def parse_memberships(text: str) -> tuple[Membership, ...]:
    """Those of people; an account's own association is nobody's."""
    return tuple(
        Membership(
            id=parse_integer(row.id),
            account=AccountName(row.account),
            user=UserName(row.user),
            partition=row.partition,
            qos=tuple(filter(None, row.qos.split(","))),
            default_qos=row.defaultqos,
        )
        for row in split_rows(lines_of(text), MembershipRow, open_column="account")
        if row.user
    )


def parse_clusters(text: str) -> frozenset[ClusterName]:
    return frozenset(ClusterName(line.removesuffix("|")) for line in lines_of(text))


def _exit(text: str) -> ExitCode:
    found = _EXIT.fullmatch(text)
    if found is None:
        raise UnparsableOutput(f"not an exit code: {text[:80]!r}")
    return ExitCode(int(found[1]), int(found[2]))


def _usage(text: str) -> dict[str, str]:
    pairs = (item.partition("=") for item in text.split(",") if item)
    return {name: value for name, _, value in pairs}


def _whole(text: str | None) -> int | None:
    return parse_integer(text) if text else None


def _bytes(text: str | None) -> int | None:
    return None if text is None else parse_bytes(text)
