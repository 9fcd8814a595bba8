-- name: create_run
-- Note that a run is about to begin.
INSERT INTO run (id, source, status, created_at) VALUES (%(id)s, %(source)s, 'pending', %(now)s)
ON CONFLICT (id) DO NOTHING;

-- name: run
-- One run by its id. The time of leases is that of the server, unless a clock was given.
SELECT number, id, source, status, created_at, ended_at, token, owner,
    lease_until - coalesce(%(clock)s, extract(epoch FROM clock_timestamp())::float8), cancel_at, cancel_by
FROM run WHERE id = %(id)s;

-- name: run_to_change
-- The same, and until the end of the transaction nobody else changes it or appends to it.
SELECT number, id, source, status, created_at, ended_at, token, owner,
    lease_until - coalesce(%(clock)s, extract(epoch FROM clock_timestamp())::float8), cancel_at, cancel_by
FROM run WHERE id = %(id)s FOR UPDATE;

-- name: runs
-- Runs, the newest first; an empty list of statuses stands for all.
SELECT number, id, source, status, created_at, ended_at, token, owner,
    lease_until - coalesce(%(clock)s, extract(epoch FROM clock_timestamp())::float8), cancel_at, cancel_by
FROM run
WHERE (%(before)s::bigint IS NULL OR number < %(before)s)
    AND (cardinality(%(statuses)s::text[]) = 0 OR status = ANY (%(statuses)s))
ORDER BY number DESC LIMIT %(limit)s;

-- name: run_ids
-- Every id, to find the one that was meant.
SELECT id FROM run ORDER BY number DESC LIMIT 10000;

-- name: acquire_lease
-- Make a run a worker's own; the token grows, and with it every older worker is shut out.
UPDATE run SET token = token + 1, owner = %(owner)s,
    lease_until = coalesce(%(clock)s, extract(epoch FROM clock_timestamp())::float8) + %(duration)s
WHERE id = %(id)s RETURNING token;

-- name: renew_lease
-- Keep a run, if nobody has taken it over.
UPDATE run SET lease_until = coalesce(%(clock)s, extract(epoch FROM clock_timestamp())::float8) + %(duration)s
WHERE id = %(id)s AND token = %(token)s;

-- name: release_lease
-- Hand a run back, if nobody has taken it over.
UPDATE run SET owner = NULL, lease_until = 0 WHERE id = %(id)s AND token = %(token)s;

-- name: append
-- Add a frame where the worker's token is the newest and the run has not ended; else no row is touched. The run is
-- locked, so that a worker who takes it over meanwhile comes either before, and is seen, or after.
WITH own AS (
    SELECT number FROM run
    WHERE id = %(id)s AND token = %(token)s AND status NOT IN ('succeeded', 'failed', 'rolled_back', 'cancelled')
    FOR NO KEY UPDATE
)
INSERT INTO frame (run, number, text, digest) SELECT own.number, %(number)s, %(text)s, %(digest)s FROM own;

-- name: append_with_status
-- The same, and give the run a status.
WITH own AS (
    UPDATE run SET status = %(status)s, ended_at = %(ended_at)s
    WHERE id = %(id)s AND token = %(token)s AND status NOT IN ('succeeded', 'failed', 'rolled_back', 'cancelled')
    RETURNING number
)
INSERT INTO frame (run, number, text, digest) SELECT own.number, %(number)s, %(text)s, %(digest)s FROM own;

-- name: is_there
-- Whether a run has just this frame.
SELECT 1 FROM frame WHERE run = %(run)s AND number = %(number)s AND digest = %(digest)s;

-- name: head
-- The last frame of a run.
SELECT number, digest FROM frame WHERE run = %(run)s ORDER BY number DESC LIMIT 1;

-- name: frames
-- A few frames of a run, in order, after a certain one.
SELECT number, text, digest FROM frame WHERE run = %(run)s AND number > %(after)s ORDER BY number LIMIT %(limit)s;

-- name: request_cancel
-- Note who asked first for a run to be stopped.
UPDATE run SET cancel_at = coalesce(cancel_at, %(now)s), cancel_by = coalesce(cancel_by, %(by)s) WHERE id = %(id)s;

-- name: delete_frames
-- Forget what happened in a run.
DELETE FROM frame WHERE run = %(run)s;

-- name: delete_run
-- Forget a run.
DELETE FROM run WHERE number = %(run)s;
