"""The gateway, made to die at any effect that a task has: `mortal_tasks N before|after`.

An effect is a row of a task and its monitor, a directory of its user's, a row of the journal, or a
command to Slurm.
"""

import sys

from tests.e2e.gateway.mortal import shorten_the_life
from waldur_slurm.gateway.main import main
from waldur_slurm.gateway.store.submits import StoredJournal
from waldur_slurm.gateway.store.tasks import StoredTasks
from waldur_slurm.slurm.transports.files import UserFiles
from waldur_slurm.slurm.transports.on_behalf import UserCommands

EFFECTS = (
    (StoredTasks, "reserve"),
    (StoredTasks, "close"),
    (StoredTasks, "free"),
    (StoredJournal, "open"),
    (StoredJournal, "place"),
    (StoredJournal, "free"),
    (UserFiles, "make"),
    (UserCommands, "run"),
)

if __name__ == "__main__":
    shorten_the_life(int(sys.argv[1]), sys.argv[2], EFFECTS)
    sys.exit(main(sys.argv[3:]))
