"""`scontrol --details show job`: what jobs asked for and hold, told amidst their owners' text.

Nothing here is cut at a mark, as scontrol has no format: names, comments, command lines and paths
stand bare, and may hold line breaks and whole records that look like Slurm's. So whatever looks
like a record is only a claim to be a certain job. A claim is worth something if it is the only
one to that job and fits what squeue knows of it; one that can be read in two ways tells nothing.
Where there are several, the job is asked for alone. Pure.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from waldur_slurm.errors import InvalidName, UnparsableOutput
from waldur_slurm.model.details import JobDetails, Record
from waldur_slurm.model.hosts import count_hosts, expand_hosts
from waldur_slurm.model.live import LiveJob, NodeShare
from waldur_slurm.slurm.live.grammar.records import RecordReader
from waldur_slurm.slurm.live.grammar.values import parse_time, parse_word

_HEAD = re.compile(
    r"JobId=(\d{1,10}) (?:(?:Array|Het)Job[A-Za-z]+=\S+ |ArrayTask\w+=\S+ )*JobName=", re.ASCII
)
_AT_ONCE = re.compile(r" ArrayTaskThrottle=(\d{1,10}) ", re.ASCII)
_USER = re.compile(r" UserId=\S*?\((\d{1,10})\) GroupId=", re.ASCII)
_SUBMITTED = re.compile(r" SubmitTime=(\d{1,12}) EligibleTime=", re.ASCII)
_SHARES = re.compile(
    r" JOB_GRES=\S* +((?:Nodes=\S+ CPU_IDs=[\d,-]* Mem=\d{1,18} GRES=\S* +)+)MinCPUsNode=",
    re.ASCII,
)
_SHARE = re.compile(
    r"Nodes=(\S+) CPU_IDs=((?:\d{1,6}(?:-\d{1,6})?,?)*) Mem=(\d+) GRES=(\S*) +", re.ASCII
)
_MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Claim:
    """What calls itself the record of a job. Without shares it holds nothing, or is unclear."""

    number: int
    uid: int | None
    submitted: datetime | None
    shares: tuple[NodeShare, ...]
    record: Record | None

    def is_of(self, job: LiveJob) -> bool:
        told = (self.number, self.uid, self.submitted)
        return told == (job.number, job.uid, job.submitted)


Claims = Mapping[int, tuple[Claim, ...]]
"""By the number that is claimed, those of jobs of interest."""


def parse_claims(lines: Iterable[str], numbers: frozenset[int]) -> Claims:
    """Read claims to be one of `numbers`."""
    found: dict[int, list[Claim]] = defaultdict(list)
    reader = RecordReader()
    for text, head in _records(lines):
        number = int(head[1])
        if number in numbers:
            found[number].append(_claim(number, text, reader.read(text, _at_once(head[0]))))
    return {number: tuple(claims) for number, claims in found.items()}


def parse_claims_alone(numbers: Sequence[int], answers: Sequence[str]) -> Claims:
    """Read the answer about each of `numbers`; one that is not known any more claims nothing."""
    alone = (
        parse_claims(answer.split("\n"), frozenset({number}))
        for number, answer in zip(numbers, answers, strict=True)
    )
    return {number: found.get(number, ()) for number, found in zip(numbers, alone, strict=True)}


def _records(lines: Iterable[str]) -> Iterator[tuple[str, re.Match[str]]]:
    """Cut before each line that begins as a record does, whoever wrote it."""
    head: re.Match[str] | None = None
    pending: list[str] = []
    length = 0
    for line in lines:
        begins = _HEAD.match(line)
        if begins:
            if head:
                yield "\n".join(pending), head
            head, pending, length = begins, [], 0
        length += len(line)
        if length > _MOST_CHARACTERS:
            raise UnparsableOutput(f"a job's record without an end: {pending[0][:80]!r}")
        pending.append(line)
    if head:
        yield "\n".join(pending), head


def _at_once(head: str) -> int | None:
    """How many tasks of an array may run at a time; it stands before all that an owner writes."""
    found = _AT_ONCE.search(head)
    return int(found[1]) if found else None


def _claim(number: int, text: str, record: Record | None) -> Claim:
    uid, submitted = _only(_USER, text), _only(_SUBMITTED, text)
    shares = _only(_SHARES, text)
    return Claim(
        number=number,
        uid=None if uid is None else int(uid),
        submitted=None if submitted is None else parse_time(submitted),
        shares=() if shares is None else _shares(shares),
        record=record,
    )


def _only(pattern: re.Pattern[str], text: str) -> str | None:
    """What is found once; what is found twice may be anybody's."""
    found = pattern.findall(text)
    return found[0] if len(found) == 1 else None


def _shares(text: str) -> tuple[NodeShare, ...]:
    return tuple(
        NodeShare(hosts, ids, int(memory), parse_word(gres))
        for hosts, ids, memory, gres in _SHARE.findall(text)
    )


def details_of(job: LiveJob, claims: Sequence[Claim]) -> JobDetails | None:
    """What is told of `job`; None where it is not certain that it is of this one."""
    if len(claims) != 1 or not claims[0].is_of(job):
        return None
    (claim,) = claims
    shares: tuple[NodeShare, ...] | None = ()
    if job.hosts and not job.state.is_terminal:
        shares = claim.shares if _covers(claim.shares, job.hosts) else None
    return JobDetails(shares, claim.record)


def _covers(shares: tuple[NodeShare, ...], hosts: str) -> bool:
    """Whether shares are on each of a job's hosts once, and nowhere else."""
    try:
        if sum(count_hosts(share.hosts) for share in shares) != count_hosts(hosts):
            return False
        told = [name for share in shares for name in expand_hosts(share.hosts)]
        return sorted(told) == sorted(expand_hosts(hosts))
    except InvalidName:
        return False
