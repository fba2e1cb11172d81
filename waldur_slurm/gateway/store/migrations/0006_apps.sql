-- Apps, their managed jobs, and each time that one was started.

CREATE TABLE apps (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    made INTEGER NOT NULL,
    cross_user INTEGER NOT NULL         -- 1: its users see and start each other's jobs
);

ALTER TABLE tokens ADD COLUMN app TEXT NOT NULL DEFAULT '';  -- the app that it opens, and nothing else

CREATE TABLE app_jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    app TEXT NOT NULL REFERENCES apps (id),
    user TEXT NOT NULL,
    uid INTEGER NOT NULL,
    name TEXT NOT NULL,
    made INTEGER NOT NULL,
    stage TEXT NOT NULL                 -- making, ready, deleting
);
CREATE INDEX app_jobs_by_app ON app_jobs (app);

CREATE TABLE app_runs (
    id TEXT NOT NULL PRIMARY KEY,       -- the key that it is submitted by
    job TEXT NOT NULL REFERENCES app_jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    script TEXT NOT NULL,               -- as it is handed in, until it is
    slurm_id INTEGER,                   -- NULL: not known to be submitted
    account TEXT NOT NULL DEFAULT '',
    stdout TEXT NOT NULL DEFAULT '',
    state TEXT,                         -- how it ended; NULL: not known to have ended
    exit_code INTEGER,
    exit_signal INTEGER,
    began INTEGER,
    ended INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    UNIQUE (job, number)
);
