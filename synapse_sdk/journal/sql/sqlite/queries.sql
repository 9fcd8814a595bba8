-- name: create_run
-- Note that a run is about to begin.
INSERT INTO run (id, source, status, created_at) VALUES (:id, :source, 'pending', :now)
ON CONFLICT (id) DO NOTHING;

-- name: run
-- One run by its id. A lease that begins in the future is from before the machine was started anew, and void.
SELECT number, id, source, status, created_at, ended_at, token, owner,
    CASE WHEN lease_at <= :clock THEN lease_until - :clock ELSE 0.0 END, cancel_at, cancel_by
FROM run WHERE id = :id;

-- name: runs
-- Runs, the newest first; an empty list of statuses stands for all.
SELECT number, id, source, status, created_at, ended_at, token, owner,
    CASE WHEN lease_at <= :clock THEN lease_until - :clock ELSE 0.0 END, cancel_at, cancel_by
FROM run
WHERE number < :before AND (:statuses = '[]' OR status IN (SELECT value FROM json_each(:statuses)))
ORDER BY number DESC LIMIT :limit;

-- name: run_ids
-- Every id, to find the one that was meant.
SELECT id FROM run ORDER BY number DESC LIMIT 10000;

-- name: acquire_lease
-- Make a run a worker's own; the token grows, and with it every older worker is shut out.
UPDATE run SET token = token + 1, owner = :owner, lease_at = :clock, lease_until = :clock + :duration
WHERE id = :id RETURNING token;

-- name: renew_lease
-- Keep a run, if nobody has taken it over.
UPDATE run SET lease_at = :clock, lease_until = :clock + :duration WHERE id = :id AND token = :token;

-- name: release_lease
-- Hand a run back, if nobody has taken it over.
UPDATE run SET owner = NULL, lease_at = 0, lease_until = 0 WHERE id = :id AND token = :token;

-- name: append
-- Add a frame where the worker's token is the newest and the run has not ended; else no row is touched.
INSERT INTO frame (id, text, digest)
SELECT ?, ?, ? FROM run
WHERE number = ? AND token = ? AND status NOT IN ('succeeded', 'failed', 'rolled_back', 'cancelled');

-- name: set_status
-- Give a run a status.
UPDATE run SET status = :status, ended_at = :ended_at WHERE id = :id;

-- name: head
-- The last frame of a run.
SELECT frame.id & 4294967295, frame.digest FROM frame
WHERE frame.id BETWEEN (:number << 32) AND (:number << 32) + 4294967295
ORDER BY frame.id DESC LIMIT 1;

-- name: frames
-- A few frames of a run, in order, after a certain one.
SELECT frame.id & 4294967295, frame.text, frame.digest FROM frame
WHERE frame.id > (:number << 32) + :after AND frame.id <= (:number << 32) + 4294967295
ORDER BY frame.id LIMIT :limit;

-- name: request_cancel
-- Note who asked first for a run to be stopped.
UPDATE run SET cancel_at = coalesce(cancel_at, :now), cancel_by = coalesce(cancel_by, :by) WHERE id = :id;

-- name: delete_frames
-- Forget what happened in a run.
DELETE FROM frame WHERE id BETWEEN (:number << 32) AND (:number << 32) + 4294967295;

-- name: delete_run
-- Forget a run.
DELETE FROM run WHERE number = :number;

-- name: saved_run
-- What a damaged journal still says of one run.
SELECT id, source, status, created_at, ended_at, token, cancel_at, cancel_by FROM run WHERE number = :number;

-- name: saved_frames
-- What a damaged journal still has of the frames of a run, in order.
SELECT frame.id & 4294967295, frame.text, frame.digest FROM frame
WHERE frame.id BETWEEN (:number << 32) AND (:number << 32) + 4294967295
ORDER BY frame.id;

-- name: restore_run
-- Enter a run that was saved from another journal; nobody has it.
INSERT INTO run (number, id, source, status, created_at, ended_at, token, cancel_at, cancel_by)
VALUES (:number, :id, :source, :status, :created_at, :ended_at, :token, :cancel_at, :cancel_by);

-- name: restore_frame
-- Enter a frame that was saved from another journal.
INSERT INTO frame (id, text, digest) VALUES ((? << 32) + ?, ?, ?);
