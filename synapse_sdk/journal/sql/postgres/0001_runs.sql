-- Runs, in the order in which they were created.
CREATE TABLE run (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    source text NOT NULL,                           -- JSON, never changed: the chain of digests begins with it
    status text NOT NULL,
    created_at bigint NOT NULL,                     -- microseconds since 1970, UTC
    ended_at bigint,
    token bigint NOT NULL DEFAULT 0,                -- grows with every worker; what an older one appends is refused
    owner text,                                     -- JSON; null when nobody has the lease
    lease_until double precision NOT NULL DEFAULT 0,  -- seconds since 1970 by the clock of the server
    cancel_at bigint,
    cancel_by text
);

CREATE INDEX run_status ON run (status);

-- One row a transaction.
CREATE TABLE frame (
    run bigint NOT NULL,
    number bigint NOT NULL,
    text text NOT NULL,                             -- a JSON array of events
    digest bytea NOT NULL,                          -- chains this frame to all before it
    PRIMARY KEY (run, number)
);
