-- Webhook deliveries as they came; bodies are zstd frames of `bytes` bytes.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    event TEXT NOT NULL,
    at BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX deliveries_at ON deliveries (at);

-- One row for each run: its newest state, and what webhooks and listings find it by.
CREATE TABLE runs (
    run TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    repo TEXT NOT NULL,
    issue BIGINT NOT NULL,
    title TEXT NOT NULL,
    pull BIGINT,
    branch TEXT,
    base TEXT,
    head TEXT,
    live BIGINT NOT NULL,
    at_stage TEXT NOT NULL,
    opened BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    words TEXT NOT NULL,
    policy TEXT NOT NULL,
    state TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_one_live ON runs (repo, issue) WHERE live = 1;
CREATE INDEX runs_live ON runs (opened, run) WHERE live = 1;
CREATE INDEX runs_issue ON runs (repo, issue);
CREATE INDEX runs_pull ON runs (repo, pull) WHERE pull IS NOT NULL;
CREATE INDEX runs_opened ON runs (opened, run);

-- What happened to each run, appended and never rewritten.
CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (run),
    number BIGINT NOT NULL,
    version BIGINT,
    event TEXT NOT NULL,
    ignored TEXT,
    words TEXT NOT NULL,
    PRIMARY KEY (run, number)
);

-- The queue. `ready` is when a job can be claimed: its due moment, or the end of its lease.
-- `class` is empty, or the repository and agent a heavy job counts against. An identifier is
-- never used twice, so that an old lease never fits a later job.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    run TEXT,
    entry BIGINT,
    due BIGINT NOT NULL,
    ready BIGINT NOT NULL,
    leased BIGINT NOT NULL DEFAULT 0,
    owner TEXT NOT NULL DEFAULT '',
    fence BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    cancelled BIGINT NOT NULL DEFAULT 0,
    again BIGINT,
    why TEXT
);
CREATE INDEX jobs_ready ON jobs (class, ready, id);
CREATE INDEX jobs_entry ON jobs (run, entry) WHERE entry IS NOT NULL;
CREATE INDEX jobs_heavy ON jobs (class) WHERE leased = 1 AND class > '';

-- One merge in flight for each repository and branch.
CREATE TABLE lanes (
    repo TEXT NOT NULL,
    base TEXT NOT NULL,
    run TEXT NOT NULL REFERENCES runs (run),
    alarm TEXT,
    PRIMARY KEY (repo, base)
);

-- What was last published of each run on GitHub.
CREATE TABLE published (
    run TEXT NOT NULL REFERENCES runs (run),
    surface TEXT NOT NULL,
    remote BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (run, surface)
);
