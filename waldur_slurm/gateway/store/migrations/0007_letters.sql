-- What people, channels and programs are told of jobs: the outbox.

CREATE TABLE letters (
    number INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    monitor TEXT NOT NULL,
    owner TEXT NOT NULL,            -- the principal who asked for it; nobody did where it is empty
    event TEXT NOT NULL,
    method TEXT NOT NULL,
    place TEXT NOT NULL,            -- with the method: the sink that it queues up at
    parameters TEXT NOT NULL,       -- JSON
    facts TEXT NOT NULL,            -- JSON of the job's, or null
    made INTEGER NOT NULL,
    next_try INTEGER NOT NULL,      -- while somebody is at it: when it is due again, if he is killed
    tries INTEGER NOT NULL,
    stage TEXT NOT NULL,
    last_words TEXT NOT NULL,
    UNIQUE (monitor, event, method)
);

CREATE INDEX letters_waiting ON letters (method, place, tries, next_try) WHERE stage = 'waiting';
CREATE INDEX letters_by_time ON letters (made);
