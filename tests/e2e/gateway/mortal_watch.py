"""The gateway, made to die at any effect of watching and of the post, as `mortal` has it.

An effect is a question to Slurm, a write, or a letter that goes out. Between two of them nothing
outside changes, so these are all the moments at which a kill can make a difference.
"""

import sys

from tests.e2e.gateway.mortal import shorten_the_life
from waldur_slurm.gateway.main import main
from waldur_slurm.gateway.post.senders.smtp import Smtp
from waldur_slurm.gateway.post.senders.webhook import Webhook
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.monitors import StoredMonitors
from waldur_slurm.slurm.live.client import ClusterClient

EFFECTS = (
    (ClusterClient, "read_jobs"),
    (StoredMonitors, "note"),
    (StoredLetters, "claim"),
    (Smtp, "send"),
    (Webhook, "send"),
    (StoredLetters, "note"),
)

if __name__ == "__main__":
    shorten_the_life(int(sys.argv[1]), sys.argv[2], EFFECTS)
    sys.exit(main([]))
