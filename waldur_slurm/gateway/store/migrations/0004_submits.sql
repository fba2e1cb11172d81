-- Attempts to hand in jobs, one a key; open until their job is known.

CREATE TABLE submits (
    owner TEXT NOT NULL,            -- whose the key is
    key TEXT NOT NULL,
    cluster TEXT NOT NULL,
    user TEXT NOT NULL,
    fingerprint TEXT NOT NULL,      -- SHA-256 of what was asked for
    mark TEXT NOT NULL,
    opened INTEGER NOT NULL,
    doubt_until INTEGER NOT NULL,   -- until then a lost sbatch may still hand the job in
    may_wait INTEGER NOT NULL,      -- whether the job might not become eligible for long
    job_id TEXT,                    -- NULL: open
    submitted INTEGER,
    work_dir TEXT,
    stdout TEXT,
    stderr TEXT,
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;

CREATE UNIQUE INDEX submits_open ON submits (cluster, user, mark) WHERE job_id IS NULL;
CREATE INDEX submits_by_mark ON submits (mark);
CREATE INDEX submits_by_time ON submits (opened);
