"""A new account's attributes as both of sacctmgr's grammars take them, `load`'s and its own. Pure.

What stands between quotes holds none: names are of the closed alphabet, and text is cleaned.
"""

from collections.abc import Iterator

from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.slurm.accounting.grammar.text import clean_text
from waldur_slurm.slurm.grammar.values import format_tres


def description_of(account: NewAccount) -> str:
    """What Slurm will show: it has no account without a description."""
    return clean_text(account.description) or account.name


def text_of(account: NewAccount) -> Iterator[str]:
    """The attributes that an account has in all clusters."""
    yield f"Description='{description_of(account)}'"
    yield f"Organization='{clean_text(account.organization) or account.parent}'"


def limits_of(account: NewAccount) -> Iterator[str]:
    """The attributes that it has in one cluster."""
    if account.limits:
        yield f"GrpTRESMins={format_tres(account.limits)}"
    if account.fairshare:
        yield f"Fairshare={account.fairshare}"
    if account.qos:
        yield f"QOS='{','.join(account.qos)}'"
    if account.default_qos:
        yield f"DefaultQOS={account.default_qos}"
