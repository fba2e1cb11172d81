"""A letter as a message of mail: the same letter is the same message, however often. Pure."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.words import subject, text

_SEVEN_BIT = SMTP.clone(cte_type="7bit")

_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""One bare address; whatever could begin another one, or another header, is none."""

MaySendAs = Callable[[str, str], bool]
"""Whether an owner's mail may come from an address."""


def nobody(_owner: str, _address: str) -> bool:
    return False


def message_of(letter: Letter, sender: str, may_send_as: MaySendAs = nobody) -> EmailMessage:
    """Write the message; raises `ValueError` for what would be more than one header or address.

    It comes from `sender`, the site's; whom a user names, and may not send as, gets the answers.
    """
    message = EmailMessage(policy=_SEVEN_BIT)
    asked = letter.parameters.get("sender", "")
    is_allowed = bool(asked) and may_send_as(letter.owner, asked)
    message["From"] = mail_address(asked if is_allowed else sender)
    message["To"] = mail_address(letter.parameters.get("recipient", ""))
    if asked and not is_allowed:
        message["Reply-To"] = mail_address(asked)
    message["Subject"] = one_line(subject(letter))
    message["Date"] = format_datetime(letter.made)
    message["Message-ID"] = f"<{letter.message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text(letter, has_facts=True), charset="utf-8")
    return message


def mail_address(found: str) -> str:
    if len(found) <= 254 and found.isascii() and _ADDRESS.fullmatch(found):
        return found
    raise ValueError(f"{found[:80]!a} is no e-mail address, such as ann@example.org")


def one_line(found: str) -> str:
    if found.isprintable():
        return found
    raise ValueError(f"the subject is not one line of text: {found[:80]!a}")
