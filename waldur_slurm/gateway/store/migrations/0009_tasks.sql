-- Tasks, each with its monitor; one without a job is under way, or was left behind.

CREATE TABLE tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,        -- the key of its submit
    owner TEXT NOT NULL,
    uuid TEXT NOT NULL,
    cluster TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,      -- SHA-256 of what was asked for
    made INTEGER NOT NULL,
    monitor TEXT NOT NULL UNIQUE REFERENCES monitors (id) ON DELETE CASCADE,
    job_id TEXT,                    -- NULL: not known to have one
    submitted INTEGER,
    work_dir TEXT,
    stdout TEXT,
    stderr TEXT
);
CREATE UNIQUE INDEX tasks_by_uuid ON tasks (owner, uuid);
CREATE INDEX tasks_by_user ON tasks (user);
CREATE INDEX tasks_unsettled ON tasks (number) WHERE job_id IS NULL;
