"""The columns of the past's listings: one table drives the command and the parser. Pure.

What a user chose himself stands last, and twice: see `rows`.
"""

from typing import NamedTuple


class RunRow(NamedTuple):
    """`sacct`: one row a run of a job.

    No column may be read as the one three places on (`TEXTS`), the first least of all.
    """

    jobid: str
    user: str
    account: str
    state: str
    submit: str
    partition: str
    eligible: str
    start: str
    end: str
    elapsedraw: str
    timelimitraw: str
    exitcode: str
    nnodes: str
    alloccpus: str
    nodelist: str
    associd: str
    qos: str
    alloctres: str
    reqtres: str
    jobidraw: str
    uid: str
    priority: str


TEXTS = ("jobname", "comment", "workdir")


class StepRow(NamedTuple):
    """`sacct` without `--allocations`: a row a job, then one a step."""

    jobid: str
    state: str
    start: str
    end: str
    elapsedraw: str
    alloccpus: str
    ntasks: str
    totalcpu: str
    maxrss: str
    tresusageinmax: str
    tresusageintot: str


STEP_TEXTS = ("jobname",)


class OutputRow(NamedTuple):
    """`sacct` of releases that keep it; no column may be read as the one two places on."""

    jobid: str
    state: str
    submit: str


OUTPUT_TEXTS = ("stdout", "stderr")


class PersonRow(NamedTuple):
    """`sacctmgr show user`."""

    adminlevel: str
    defaultaccount: str
    user: str


class AccountRow(NamedTuple):
    """`sacctmgr show assoc`."""

    parentname: str
    account: str
    user: str


class MembershipRow(NamedTuple):
    """`sacctmgr show assoc`."""

    id: str
    partition: str
    qos: str
    defaultqos: str
    account: str
    user: str
