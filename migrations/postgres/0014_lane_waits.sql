-- The merge lane a run waits for, and since when; empty while it waits for none.
ALTER TABLE runs ADD COLUMN lane TEXT;
ALTER TABLE runs ADD COLUMN lane_since BIGINT;
CREATE INDEX runs_lane ON runs (repo, lane, lane_since, run) WHERE lane IS NOT NULL;
