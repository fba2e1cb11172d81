"""The columns of every listing: one table drives the command that asks and the parser that reads.

A table is a NamedTuple whose fields are Slurm's own names of the columns, in the order asked for.
Free text and names come last or where a stray separator in them cannot shift anything else; see
`rows`. Pure.
"""

from typing import NamedTuple


class AccountRow(NamedTuple):
    """`sacctmgr show account`: one row an account, shared by all clusters of a slurmdbd."""

    account: str
    organization: str
    description: str


class AssociationRow(NamedTuple):
    """`sacctmgr show assoc`: an account in a cluster, or a user in an account."""

    id: str
    parentid: str
    fairshare: str
    grptresmins: str
    grpjobs: str
    grpsubmitjobs: str
    maxsubmitjobs: str
    qos: str
    defaultqos: str
    account: str
    user: str
    partition: str


class MemberRow(NamedTuple):
    """The same without what sacctmgr asks slurmdbd for apart: names of TRES and of QoS."""

    account: str
    user: str
    partition: str


class StandingRow(NamedTuple):
    """What is asked of accounts that have just been made; without the names of QoS."""

    id: str
    parentid: str
    grptresmins: str
    account: str
    user: str
    partition: str


class PlaceRow(NamedTuple):
    """`sacctmgr show assoc` over all clusters, to learn where an account is in use."""

    cluster: str
    account: str


class UserRow(NamedTuple):
    """`sacctmgr show user`."""

    user: str
    defaultaccount: str


class TresRow(NamedTuple):
    """`sacctmgr show tres`."""

    type: str
    name: str


class JobRow(NamedTuple):
    """`sacct`: one row an allocation."""

    jobid: str
    state: str
    submit: str
    start: str
    end: str
    elapsedraw: str
    alloctres: str
    reqtres: str
    account: str
    user: str


class QueueRow(NamedTuple):
    """`squeue`: its format letters stand in `QUEUE_LETTERS`."""

    jobid: str
    state: str
    submit: str
    account: str
    user: str


QUEUE_LETTERS = {"jobid": "%i", "state": "%T", "submit": "%V", "account": "%a", "user": "%u"}


class RollupRow(NamedTuple):
    """`sreport cluster AccountUtilizationByUser`; a row without a login is the account's total."""

    account: str
    login: str
    tresname: str
    used: str
