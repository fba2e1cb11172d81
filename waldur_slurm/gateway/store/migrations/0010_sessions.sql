-- Sessions of browsers, each under the digest of what its cookie holds.

CREATE TABLE sessions (
    digest BLOB NOT NULL PRIMARY KEY,   -- HMAC-SHA256 under the server's secret
    made INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    token TEXT NOT NULL,                -- id of the token that began it; empty: an issuer's word did
    claims TEXT NOT NULL                -- JSON of what the issuer said, or null
);
