"""What `loadfile` says at once, said line by line to a sacctmgr that reads its commands. Pure.

Measured on 22.05.8, 24.11.5 and 26.05.5: each line is committed by itself, and after one that is
refused the next is obeyed; the exit code is 1 if any was. `add account` never changes an account
that exists, nor the text of one that another cluster has; so text that was left behind is replaced
first. A word that stands alone may be taken for `where` or `set`, so names follow `name=`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.slurm.accounting.grammar.attributes import limits_of, text_of

MOST_LINES = 25
"""A line takes a second or two, longer where there are many accounts: this ends in good time."""

MOST_USERS = 100
"""People in one line."""

_PROMPT = "sacctmgr: "


def accounts_to_add(
    cluster: ClusterName,
    accounts: Sequence[NewAccount],
    *,
    keep_text: Collection[AccountName] = (),
    recorded: Collection[AccountName] = (),
) -> Iterator[str]:
    """Describe new accounts, parents first.

    Of those that are `recorded`, from another cluster or from before, only those in `keep_text`
    keep their free text.
    """
    for account in accounts:
        text = () if account.name in keep_text else tuple(text_of(account))
        if text and account.name in recorded:
            yield _line("modify account where", f"name={account.name}", "set", *text)
        place = (f"name={account.name}", f"cluster={cluster}", f"parent={account.parent}")
        yield _line("add account", *place, *text, *limits_of(account))


def users_to_add(
    cluster: ClusterName, memberships: Mapping[AccountName, Collection[UserName]]
) -> Iterator[str]:
    for account, users in memberships.items():
        ordered = sorted(users)
        for start in range(0, len(ordered), MOST_USERS):
            names = ",".join(ordered[start : start + MOST_USERS])
            yield _line("add user", f"name={names}", f"account={account}", f"cluster={cluster}")


def in_parts(lines: Sequence[str]) -> Iterator[str]:
    """Cut into what one process reads."""
    for start in range(0, len(lines), MOST_LINES):
        yield "".join(lines[start : start + MOST_LINES])


def without_echo(out: str) -> str:
    """Leave out what sacctmgr repeats of its input."""
    return "\n".join(line for line in out.split("\n") if not line.startswith(_PROMPT))


def _line(*words: str) -> str:
    return f"{' '.join(words)}\n"
