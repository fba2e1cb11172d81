-- Times are whole seconds since 1970, in UTC, here and in all tables.

CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,       -- what is shown of it
    digest BLOB NOT NULL,               -- HMAC-SHA256 of the token, under the server's secret
    name TEXT NOT NULL,                 -- what a person calls it
    scopes TEXT NOT NULL,               -- separated by blanks
    run_as TEXT NOT NULL,               -- whom it may act for, as a person writes it
    made INTEGER NOT NULL,
    ends INTEGER,                       -- from then on it is refused; NULL: it never ends by itself
    last_used INTEGER,                  -- to the minute
    generation INTEGER NOT NULL UNIQUE  -- number of the change that it comes from
);
