"""A postman in a process of its own, to be killed: DATABASE, and how far its clock is ahead."""

import sys
import time
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from waldur_slurm.gateway.post.cycle import Postman, now_utc
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.post.senders.webhook import Webhook
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.sqlite import Database


def main(path: str, ahead_s: str) -> None:
    ahead = timedelta(seconds=int(ahead_s))
    postman = Postman(
        StoredLetters(Database(Path(path))),
        {Method.WEBHOOK: Webhook("key", [ip_network("127.0.0.0/8")])},
        lambda _event: None,
        clock=lambda: now_utc() + ahead,
    )
    with postman.running():
        time.sleep(120)


if __name__ == "__main__":
    main(*sys.argv[1:])
