-- Each query has a heading with its name and what it is for.

-- tokens_since: tokens that were made or ended after a change, in the order of the changes
SELECT
    id, digest, name, scopes, run_as, made, ends, last_used, cluster, job, submitted, app, revoked,
    generation
FROM tokens WHERE generation > :generation ORDER BY generation;

-- add_token: a new token; fails where its id is taken
INSERT INTO tokens
    (id, digest, name, scopes, run_as, made, ends, cluster, job, submitted, app, generation)
SELECT
    :id, :digest, :name, :scopes, :run_as, :made, :ends, :cluster, :job, :submitted, :app,
    coalesce(max(generation), 0) + 1
FROM tokens;

-- end_token: a moment from which on a token is refused, at the latest, and whether that is now
UPDATE tokens SET
    ends = min(coalesce(ends, :at), :at),
    revoked = max(revoked, :revoked),
    generation = (SELECT max(generation) + 1 FROM tokens)
WHERE id = :id;

-- tokens_over: tokens that ended before a moment, those for one job before another, but for the one
-- that changed last of all
SELECT id FROM tokens
WHERE ends < iif(job IS NULL, :before, :jobs_before)
    AND generation < (SELECT max(generation) FROM tokens) ORDER BY id;

-- count_valid_tokens: how many may be shown at a moment
SELECT count(*) FROM tokens WHERE revoked = 0 AND (ends IS NULL OR ends > :now);

-- forget_token: lets one go
DELETE FROM tokens WHERE id = :id;

-- note_use: when a token was last shown
UPDATE tokens SET last_used = max(coalesce(last_used, :at), :at) WHERE id = :id;

-- add_transition: what became of a job
INSERT INTO transitions
    (at, cluster, kind, job_id, submitted, user, before, state, is_terminal, outcome)
VALUES
    (:at, :cluster, :kind, :job_id, :submitted, :user, :before, :state, :is_terminal, :outcome);

-- transitions_after: the oldest ones with a higher number
SELECT number, at, cluster, kind, job_id, submitted, user, before, state, is_terminal, outcome
FROM transitions WHERE number > :number ORDER BY number LIMIT :limit;

-- bounds_of_transitions: the lowest and the highest number that is kept
SELECT coalesce(min(number), 0), coalesce(max(number), 0) FROM transitions;

-- forget_transitions: those from before a moment, but for the latest of all
DELETE FROM transitions
WHERE at < :before AND number < (SELECT max(number) FROM transitions);

-- add_sample: a sample of the load, unless its second or its wait time has one
INSERT OR IGNORE INTO samples (cluster, time, slot, sample)
VALUES (:cluster, :time, :slot, :sample);

-- samples_between: samples of a span of time, the oldest first
SELECT sample FROM samples
WHERE cluster = :cluster AND time BETWEEN :begin AND :end ORDER BY time;

-- newest_sample: the last sample of a span of time
SELECT sample FROM samples
WHERE cluster = :cluster AND time BETWEEN :begin AND :end ORDER BY time DESC LIMIT 1;

-- sample_times: when samples were taken, the oldest first
SELECT time FROM samples WHERE cluster = :cluster ORDER BY time;

-- drop_sample: lets one go
DELETE FROM samples WHERE cluster = :cluster AND time = :time;

-- all_apps: every app, the oldest first
SELECT id, name, made, cross_user FROM apps ORDER BY made, rowid;

-- app: one app
SELECT id, name, made, cross_user FROM apps WHERE id = :id;

-- put_app: an app, new or changed
INSERT INTO apps (id, name, made, cross_user) VALUES (:id, :name, :made, :cross_user)
ON CONFLICT (id) DO UPDATE SET name = :name, cross_user = :cross_user;

-- drop_app: lets one go that has no jobs
DELETE FROM apps WHERE id = :id AND NOT EXISTS (SELECT 1 FROM app_jobs WHERE app = :id);

-- add_app_job: a managed job that is about to be made
INSERT INTO app_jobs (id, app, user, uid, name, made, stage)
VALUES (:id, :app, :user, :uid, :name, :made, :stage);

-- app_jobs: managed jobs of an app in a stage, the oldest first
SELECT id, app, user, uid, name, made, stage FROM app_jobs
WHERE app = :app AND stage = :stage ORDER BY number;

-- app_job: one managed job of an app
SELECT id, app, user, uid, name, made, stage FROM app_jobs WHERE app = :app AND id = :id;

-- unsettled_app_jobs: managed jobs that are half made, half removed or half started
SELECT id, app, user, uid, name, made, stage FROM app_jobs
WHERE stage <> :ready OR EXISTS
    (SELECT 1 FROM app_runs WHERE job = app_jobs.id AND slurm_id IS NULL AND state IS NULL)
ORDER BY number;

-- set_app_job_stage: how far a managed job is
UPDATE app_jobs SET stage = :stage WHERE id = :id;

-- forget_app_job: a managed job, and its runs with it
DELETE FROM app_jobs WHERE id = :id;

-- app_runs: the runs of one managed job, the oldest first
SELECT job, id, number, asked, slurm_id, account, stdout,
    state, exit_code, exit_signal, began, ended, reason
FROM app_runs WHERE job = :job ORDER BY number;

-- app_runs_of_app: the runs of all managed jobs of an app, the oldest first
SELECT job, app_runs.id, app_runs.number, asked, slurm_id, account, stdout,
    state, exit_code, exit_signal, began, ended, reason
FROM app_runs JOIN app_jobs ON app_jobs.id = job WHERE app = :app ORDER BY app_runs.number;

-- add_app_run: a run that begins
INSERT INTO app_runs (id, job, number, asked, script) VALUES (:id, :job, :number, :asked, :script);

-- app_run_script: the script of a run
SELECT script FROM app_runs WHERE id = :id;

-- drop_app_run: a run that made no job
DELETE FROM app_runs WHERE id = :id AND slurm_id IS NULL;

-- note_app_run_submitted: which job of Slurm a run is
UPDATE app_runs SET slurm_id = :slurm_id, script = '' WHERE id = :id;

-- note_app_run_seen: what Slurm alone knew of a run
UPDATE app_runs SET
    account = CASE account WHEN '' THEN :account ELSE account END,
    stdout = CASE stdout WHEN '' THEN :stdout ELSE stdout END
WHERE id = :id;

-- note_app_run_end: how a run ended, where that is not known yet
UPDATE app_runs SET
    state = :state, exit_code = :exit_code, exit_signal = :exit_signal,
    began = :began, ended = :ended, reason = :reason
WHERE id = :id AND state IS NULL;

-- open_submit: a new attempt, unless its key has one, or its mark is open
INSERT OR IGNORE INTO submits
    (owner, key, cluster, user, fingerprint, mark, opened, doubt_until, may_wait)
VALUES
    (:owner, :key, :cluster, :user, :fingerprint, :mark, :opened, :doubt_until, :may_wait);

-- submit_in_the_way: the attempt of a key, else the open one of a mark
SELECT * FROM submits
WHERE (owner = :owner AND key = :key)
    OR (job_id IS NULL AND cluster = :cluster AND user = :user AND mark = :mark)
ORDER BY owner = :owner AND key = :key DESC LIMIT 1;

-- submit_of_key: the attempt of a key
SELECT * FROM submits WHERE owner = :owner AND key = :key;

-- reopen_submit: begins an open attempt anew
UPDATE submits SET opened = :opened, doubt_until = :doubt_until
WHERE owner = :owner AND key = :key AND job_id IS NULL;

-- place_submit: the job of an attempt, or more of what is known of it
UPDATE submits SET
    job_id = :job_id, submitted = :submitted, work_dir = :work_dir,
    stdout = :stdout, stderr = :stderr
WHERE owner = :owner AND key = :key AND (job_id IS NULL OR job_id = :job_id);

-- free_submit: forgets an open attempt
DELETE FROM submits WHERE owner = :owner AND key = :key AND job_id IS NULL;

-- open_submits: the open attempts, the oldest first
SELECT * FROM submits WHERE job_id IS NULL ORDER BY opened, owner, key;

-- jobs_of_mark: the jobs of other attempts with the same mark
SELECT job_id FROM submits
WHERE mark = :mark AND cluster = :cluster AND user = :user AND job_id IS NOT NULL
    AND NOT (owner = :owner AND key = :key);

-- submits_of_marks: all attempts with one of these marks
SELECT * FROM submits
WHERE cluster = :cluster AND mark IN (SELECT value FROM json_each(:marks))
ORDER BY opened, owner, key;

-- submit_of_job: the attempt that a job came of
SELECT * FROM submits
WHERE job_id = :job_id AND cluster = :cluster AND submitted = :submitted LIMIT 1;

-- forget_submits: those that were opened before a moment and have their job
DELETE FROM submits WHERE opened < :before AND job_id IS NOT NULL;

-- add_letter: a new letter, unless its monitor, event and method have one
INSERT OR IGNORE INTO letters
    (message_id, monitor, owner, event, method, place, parameters, facts, made, next_try, tries,
    stage, last_words)
VALUES
    (:message_id, :monitor, :owner, :event, :method, :place, :parameters, :facts, :made, :next_try,
    :tries, :stage, :last_words);

-- letter_heads: of each sink the letter whose turn it is
SELECT
    message_id, monitor, owner, event, method, parameters, facts, made, next_try, tries, stage,
    last_words
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY method, place ORDER BY tries, next_try, number
    ) AS turn
    FROM letters WHERE stage = 'waiting' AND (next_try <= :now OR next_try > :never)
)
WHERE turn = 1 ORDER BY number;

-- claim_letter: keeps a letter that is due from everybody else for a while
UPDATE letters SET next_try = :until
WHERE message_id = :message_id AND stage = 'waiting'
    AND (next_try <= :now OR next_try > :never);

-- note_letter: what became of a try
UPDATE letters SET
    next_try = :next_try, tries = :tries, stage = :stage, last_words = :last_words
WHERE message_id = :message_id AND stage = 'waiting';

-- latest_letters: the newest ones
SELECT
    message_id, monitor, owner, event, method, parameters, facts, made, next_try, tries, stage,
    last_words
FROM letters ORDER BY number DESC LIMIT :limit;

-- forget_letters: those that were made before a moment and wait no more
DELETE FROM letters WHERE made < :before AND stage <> 'waiting';

-- letters_of_monitor: what was told of a job, and what was tried, the newest first
SELECT
    message_id, monitor, owner, event, method, parameters, facts, made, next_try, tries, stage,
    last_words
FROM letters
WHERE monitor = :monitor OR monitor > :monitor || '/' AND monitor < :monitor || '0'
ORDER BY number DESC;

-- search_letters: those that are sought, the newest first
SELECT
    number, message_id, monitor, owner, event, method, parameters, facts, made, next_try, tries,
    stage, last_words
FROM letters
WHERE (:owner IS NULL AND :users IS NULL
        OR owner = :owner
        OR json_extract(facts, '$.user') IN (SELECT value FROM json_each(:users)))
    AND (:stage IS NULL OR stage = :stage)
    AND (:message_id IS NULL OR message_id = :message_id)
    AND (:before IS NULL OR number < :before)
ORDER BY number DESC LIMIT :limit;

-- try_letter_again: lets a dead one be tried for a day more
UPDATE letters SET stage = 'waiting', made = :now, next_try = :now, tries = 0
WHERE message_id = :message_id AND stage = 'dead';

-- letter_tally: how many there are of each stage, and the oldest
SELECT stage, count(*), min(made) FROM letters GROUP BY stage;

-- add_monitor: a new monitor, unless its owner has one of the same task
INSERT OR IGNORE INTO monitors
    (id, owner, cluster, user, made, updated, job_id, submitted, state, stage, methods, occasions,
    told, missing_since, sight, uuid, task)
VALUES
    (:id, :owner, :cluster, :user, :made, :updated, :job_id, :submitted, :state, :stage, :methods,
    :occasions, :told, :missing_since, :sight, :uuid, :task);

-- name_job_of_monitor: the job that its submission made
UPDATE monitors SET job_id = :job_id, submitted = coalesce(submitted, :submitted)
WHERE id = :id AND (job_id IS NULL OR job_id = :job_id);

-- drop_monitor: forgets a monitor, with its transitions, but not while its job is handed in
DELETE FROM monitors WHERE id = :id AND job_id IS NOT NULL;

-- monitor: one
SELECT * FROM monitors WHERE id = :id;

-- search_monitors: those that are wanted, the newest first
SELECT * FROM monitors
WHERE (:owner IS NULL AND :users IS NULL
        OR owner = :owner OR user IN (SELECT value FROM json_each(:users)))
    AND (:stage IS NULL OR stage = :stage)
    AND (:state IS NULL OR state = :state)
    AND (:cluster IS NULL OR cluster = :cluster)
    AND (:job_id IS NULL OR job_id = :job_id)
    AND (:uuid IS NULL OR uuid = :uuid)
    AND (:before IS NULL OR number < :before)
ORDER BY number DESC LIMIT :limit;

-- watching_monitors: those of a cluster that watch, the oldest first
SELECT * FROM monitors WHERE cluster = :cluster AND stage = 'watching' ORDER BY number;

-- note_monitor: what became of one that still watches
UPDATE monitors SET
    updated = :updated, submitted = :submitted, state = :state, stage = :stage, told = :told,
    missing_since = :missing_since, sight = :sight
WHERE id = :id AND stage = 'watching' AND job_id IS :job_id;

-- add_monitor_transition: what one look made of a monitor
INSERT INTO monitor_transitions (monitor, at, before, state, stage, words)
VALUES (:monitor, :at, :before, :state, :stage, :words);

-- monitor_transitions: all of a monitor, the oldest first
SELECT at, before, state, stage, words FROM monitor_transitions
WHERE monitor = :monitor ORDER BY number;

-- forget_monitors: those that stopped watching before a moment
DELETE FROM monitors WHERE stage <> 'watching' AND coalesce(updated, made) < :before;

-- monitor_counts: how many there are of each stage
SELECT stage, count(*) FROM monitors GROUP BY stage;

-- all_sessions: every session, ended ones too
SELECT digest, made, ends, token, claims FROM sessions;

-- add_session: a new session
INSERT INTO sessions (digest, made, ends, token, claims)
VALUES (:digest, :made, :ends, :token, :claims);

-- drop_session: lets one go
DELETE FROM sessions WHERE digest = :digest;

-- add_task: a task that is about to be handed in
INSERT INTO tasks (id, owner, uuid, cluster, user, name, fingerprint, made, monitor)
VALUES (:id, :owner, :uuid, :cluster, :user, :name, :fingerprint, :made, :monitor);

-- task: one of an owner, with what was given
SELECT tasks.*, monitors.task FROM tasks JOIN monitors ON monitors.id = tasks.monitor
WHERE tasks.owner = :owner AND tasks.uuid = :uuid;

-- monitored_job: the job of a monitor that has a uuid, an owner's own before others' of the user
SELECT job_id FROM monitors WHERE uuid = :uuid AND (owner = :owner OR user = :user)
ORDER BY owner = :owner DESC LIMIT 1;

-- uuid_of_user: whether anybody has a monitor of it for this user
SELECT 1 FROM monitors WHERE user = :user AND uuid = :uuid LIMIT 1;

-- close_task: the job that it made
UPDATE tasks SET
    job_id = :job_id, submitted = :submitted, work_dir = :work_dir,
    stdout = :stdout, stderr = :stderr
WHERE id = :id AND (job_id IS NULL OR job_id = :job_id);

-- free_task: forgets one that made no job, by its monitor
DELETE FROM monitors WHERE id = (SELECT monitor FROM tasks WHERE id = :id AND job_id IS NULL);

-- unsettled_tasks: those without a job, the oldest first
SELECT tasks.*, monitors.task FROM tasks JOIN monitors ON monitors.id = tasks.monitor
WHERE tasks.job_id IS NULL ORDER BY tasks.number;

-- search_tasks: an owner's and those of users, the newest first
SELECT tasks.*, monitors.task FROM tasks JOIN monitors ON monitors.id = tasks.monitor
WHERE (
    tasks.owner = :owner OR :users IS NULL
    OR tasks.user IN (SELECT value FROM json_each(:users))
)
AND (:cluster IS NULL OR tasks.cluster = :cluster)
AND (:uuid IS NULL OR tasks.uuid = :uuid)
AND (:before IS NULL OR tasks.number < :before)
ORDER BY tasks.number DESC LIMIT :limit;
