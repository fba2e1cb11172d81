-- A token for one job alone says which: its number, and when it was submitted, as numbers come again.

ALTER TABLE tokens ADD COLUMN cluster TEXT;
ALTER TABLE tokens ADD COLUMN job INTEGER;      -- NULL: it is for no single job
ALTER TABLE tokens ADD COLUMN submitted INTEGER;

CREATE INDEX submits_by_job ON submits (job_id);
