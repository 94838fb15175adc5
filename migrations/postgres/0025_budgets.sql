-- Calls of models. While `is_open`, `micros` is what one may cost at worst, then what it did;
-- `is_unknown` when nobody said, and the worst was charged. Kept for thirteen months at least.
CREATE TABLE spend (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run TEXT NOT NULL,
    entry BIGINT NOT NULL,
    stage TEXT NOT NULL,
    repo TEXT NOT NULL,
    issue BIGINT NOT NULL,
    person BIGINT NOT NULL,
    installation BIGINT NOT NULL,
    at BIGINT NOT NULL,
    micros BIGINT NOT NULL,
    is_open BIGINT NOT NULL DEFAULT 1,
    is_unknown BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX spend_open ON spend (run, entry) WHERE is_open = 1;
CREATE INDEX spend_at ON spend (at);

-- What calls come to, in every scope and window they count in; moved with them.
CREATE TABLE sums (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    since BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    PRIMARY KEY (scope, key, since)
);
CREATE INDEX sums_moved ON sums (moved);
