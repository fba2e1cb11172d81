-- A clock that is set back makes no token valid again that was revoked.
ALTER TABLE tokens ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;
