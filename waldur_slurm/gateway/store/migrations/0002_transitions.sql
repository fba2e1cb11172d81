CREATE TABLE transitions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, also when all are forgotten
    at INTEGER NOT NULL,
    cluster TEXT NOT NULL,
    kind TEXT NOT NULL,
    job_id TEXT NOT NULL,
    submitted INTEGER,
    user TEXT NOT NULL,
    before TEXT NOT NULL,               -- Slurm's words for the state, as for the next one
    state TEXT NOT NULL,
    is_terminal INTEGER NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX transitions_by_time ON transitions (at);
