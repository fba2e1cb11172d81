"""The gateway of Slurmer's clients, made to die: `mortal_apps N before|after -c config.yml`.

An effect is a row of a managed job, its user's file, a row of the journal, or a command to Slurm.
"""

import sys

from tests.e2e.gateway.mortal import shorten_the_life
from waldur_slurm.gateway.main import main
from waldur_slurm.gateway.store.apps import StoredJobs
from waldur_slurm.gateway.store.submits import StoredJournal
from waldur_slurm.slurm.transports.files import UserFiles
from waldur_slurm.slurm.transports.on_behalf import UserCommands

EFFECTS = (
    (StoredJobs, "add"),
    (StoredJobs, "set_stage"),
    (StoredJobs, "add_run"),
    (StoredJobs, "drop_run"),
    (StoredJobs, "note_submitted"),
    (StoredJobs, "note_seen"),
    (StoredJobs, "note_end"),
    (StoredJobs, "forget"),
    (StoredJournal, "open"),
    (StoredJournal, "place"),
    (StoredJournal, "free"),
    (UserFiles, "make"),
    (UserFiles, "put"),
    (UserFiles, "remove"),
    (UserCommands, "run"),
)

if __name__ == "__main__":
    shorten_the_life(int(sys.argv[1]), sys.argv[2], EFFECTS)
    sys.exit(main(sys.argv[3:]))
