-- How full each cluster was, one row a wait time.

CREATE TABLE samples (
    cluster TEXT NOT NULL,
    time INTEGER NOT NULL,
    slot INTEGER,               -- which wait time it is of; NULL where it was taken over
    sample TEXT NOT NULL,       -- JSON, as it is shown
    PRIMARY KEY (cluster, time)
) WITHOUT ROWID;

CREATE UNIQUE INDEX samples_by_slot ON samples (cluster, slot);
