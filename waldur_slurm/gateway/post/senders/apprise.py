"""Letters by Apprise, to targets that the site named: whoever asks knows the name, never the URL.

Apprise is an extra: the composition root imports this module where a target is named, and nobody
else knows Apprise. A URL is a secret whole, and what Apprise logs may quote it: it logs nothing.
"""

import logging
from collections.abc import Mapping, Sequence

from apprise import Apprise, AppriseAsset, NotifyFormat

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome
from waldur_slurm.gateway.post.words import subject, text

logging.getLogger("apprise").setLevel(logging.CRITICAL)


class ByApprise:
    """`targets` are URLs by their name; several of one name are told each."""

    def __init__(self, targets: Mapping[str, Sequence[str]]) -> None:
        self._targets = {name: _known(name, urls) for name, urls in targets.items()}

    def send(self, letter: Letter) -> Outcome:
        name = letter.parameters.get("target", "")
        target = self._targets.get(name)
        if target is None:
            return Never(f"{name[:80]!a} is no target that GATEWAY_APPRISE_TARGETS names")
        is_told = target.notify(
            body=text(letter, has_facts=True),
            title=_one_line(subject(letter)),
            body_format=NotifyFormat.TEXT,
        )
        if is_told:
            return Delivered()
        return Later(f"the target {name} did not take it; `apprise -vv` says why")


def _known(name: str, urls: Sequence[str]) -> Apprise:
    """Raise `ValueError`, without the URL, where Apprise knows no such service."""
    found = Apprise(asset=AppriseAsset(secure_logging=True, async_mode=False))
    if not all(found.add(url) for url in urls):
        raise ValueError(f"Apprise does not understand the URL of {name}")
    return found


def _one_line(title: str) -> str:
    return "".join(each if each.isprintable() else " " for each in title)
