-- Monitors of jobs, and what became of each.

CREATE TABLE monitors (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    cluster TEXT NOT NULL,
    user TEXT NOT NULL,
    made INTEGER NOT NULL,
    updated INTEGER,
    job_id TEXT,                    -- NULL: its submission is under way
    submitted INTEGER,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    methods TEXT NOT NULL,          -- JSON: the parameters of each
    occasions TEXT NOT NULL,        -- JSON
    told TEXT NOT NULL,             -- JSON: the occasions that there are letters of
    missing_since INTEGER,
    sight TEXT NOT NULL,            -- JSON of the job as it was seen last, or null
    uuid TEXT NOT NULL,             -- of a task, or empty
    task TEXT NOT NULL              -- JSON as it was given, or null
);
CREATE UNIQUE INDEX monitors_by_uuid ON monitors (owner, uuid) WHERE uuid <> '';
CREATE INDEX monitors_by_job ON monitors (job_id, cluster);
CREATE INDEX monitors_by_user ON monitors (user);
CREATE INDEX monitors_watching ON monitors (cluster, number) WHERE stage = 'watching';

CREATE TABLE monitor_transitions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    monitor TEXT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    before TEXT NOT NULL,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    words TEXT NOT NULL
);
CREATE INDEX monitor_transitions_by_monitor ON monitor_transitions (monitor, number);
