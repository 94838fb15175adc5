-- What the agent of a run does now, as JSON; overwritten, and gone with the step that ends its
-- task. Losing it loses nothing.
CREATE TABLE live (
    run TEXT NOT NULL PRIMARY KEY,
    entry BIGINT NOT NULL,
    at BIGINT NOT NULL,
    live TEXT NOT NULL
);
CREATE INDEX live_at ON live (at);

-- What agents said, without secrets: zstd frames of `bytes` bytes, kept for some days.
CREATE TABLE streams (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run TEXT NOT NULL,
    entry BIGINT NOT NULL,
    agent TEXT NOT NULL,
    at BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    is_cut BIGINT NOT NULL,
    frame BYTEA NOT NULL
);
CREATE INDEX streams_run ON streams (run, entry, id);
CREATE INDEX streams_at ON streams (at);
