"""A letter as what programs read: one object of JSON, whatever way it goes. Pure."""

import msgspec

from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.post.words import text


def body_of(letter: Letter) -> bytes:
    told = {
        "message_id": letter.message_id,
        "monitor": letter.monitor,
        "event": letter.event,
        "made": letter.made,
        "job": letter.facts,
        "text": text(letter, has_facts=False),
    }
    return msgspec.json.encode(told)
