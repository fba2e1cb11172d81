"""Names that Slurm takes as they are; whatever else it might misread is refused here.

A name read from Slurm is what Slurm says it is. A name about to be written passes through
`account_name` or `user_name`, because `sacctmgr` would make several accounts of `a,b` and `n[1-3]`,
and somebody else of `Alice`: it folds names to lower case. Its database tells names apart by
their first 42 characters only.
"""

import re
from typing import NewType

from waldur_slurm.errors import InvalidName

AccountName = NewType("AccountName", str)
ClusterName = NewType("ClusterName", str)
UserName = NewType("UserName", str)

ROOT = AccountName("root")

TELLING = 42
"""Characters of a name by which Slurm's database knows it."""

_LONGEST_QUOTE = 80

_ACCOUNT = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,127}", re.ASCII)
_USER = re.compile(r"[a-z0-9_][a-z0-9_.@-]{0,41}", re.ASCII)
_CLUSTER = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,63}", re.ASCII)


def account_name(text: str) -> AccountName:
    """Accept `text` as the name of one Slurm account, or raise `InvalidName`."""
    return AccountName(_matching(_ACCOUNT, text, "account name"))


def user_name(text: str) -> UserName:
    return UserName(_matching(_USER, text, "user name"))


def cluster_name(text: str) -> ClusterName:
    return ClusterName(_matching(_CLUSTER, text, "cluster name"))


def _matching(alphabet: re.Pattern[str], text: str, kind: str) -> str:
    if alphabet.fullmatch(text) is None:
        allowed = alphabet.pattern
        raise InvalidName(f"not a safe Slurm {kind}: {quoted(text)} (allowed: {allowed})")
    return text


def quoted(text: str) -> str:
    """The text as an error may repeat it: on one line, and cut."""
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}...")
