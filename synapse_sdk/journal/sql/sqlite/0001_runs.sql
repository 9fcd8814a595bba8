-- Runs, in the order in which they were created.
CREATE TABLE run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,                  -- JSON, never changed: the chain of digests begins with it
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,           -- microseconds since 1970, UTC
    ended_at INTEGER,
    token INTEGER NOT NULL DEFAULT 0,      -- grows with every worker; what an older one appends is refused
    owner TEXT,                            -- JSON; null when nobody has the lease
    lease_at REAL NOT NULL DEFAULT 0,      -- when the lease began, in seconds since the boot of the machine
    lease_until REAL NOT NULL DEFAULT 0,   -- when it ends
    cancel_at INTEGER,
    cancel_by TEXT
);

CREATE INDEX run_status ON run (status);

-- One row a transaction. The id is run.number * 2^32 + the frame's number in its run, so that the frames of a run lie
-- side by side and need no index besides the table itself.
CREATE TABLE frame (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,                    -- a JSON array of events
    digest BLOB NOT NULL                   -- chains this frame to all before it
);
