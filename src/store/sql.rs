//! Every statement, once, as a text that SQLite and PostgreSQL both accept.

/// The only difference between the dialects: PostgreSQL lets claimers pass each other.
macro_rules! claim {
    ($skip:literal) => {
        concat!(
            "UPDATE jobs SET attempts = attempts + leased, leased = 1, fence = fence + 1, \
             owner = $4, ready = $5 WHERE id IN (SELECT id FROM jobs \
             WHERE class = $1 AND ready <= $2 ORDER BY ready, id LIMIT $3",
            $skip,
            ") RETURNING id, fence, key, kind, attempts, due, cancelled, again"
        )
    };
}

pub(super) const CLAIM_SQLITE: &str = claim!("");
pub(super) const CLAIM_POSTGRES: &str = claim!(" FOR UPDATE SKIP LOCKED");

/// Held by a PostgreSQL claimer while it counts heavy jobs, until its transaction ends.
pub(super) const LOCK_HEAVY: &str = "SELECT pg_advisory_xact_lock(7163411) IS NULL";
/// Tells the other processes that something was written.
pub(super) const NOTIFY: &str = "SELECT pg_notify('slipway', '') IS NULL";

/// The oldest moment of each class: a skip through the index, whatever waits in it.
pub(super) const HEADS: &str = "WITH RECURSIVE classes (class) AS ( \
     SELECT MIN(class) FROM jobs UNION ALL \
     SELECT (SELECT MIN(later.class) FROM jobs later WHERE later.class > classes.class) \
     FROM classes WHERE classes.class IS NOT NULL) \
     SELECT class, (SELECT MIN(job.ready) FROM jobs job WHERE job.class = classes.class) \
     FROM classes WHERE class IS NOT NULL";
pub(super) const HEAD: &str = "SELECT MIN(ready) FROM jobs WHERE class = $1";
pub(super) const HEAVY: &str = "SELECT class, COUNT(*) FROM jobs \
     WHERE leased = 1 AND class > '' AND ready > $1 GROUP BY class";
pub(super) const REVIVE: &str = "UPDATE jobs SET cancelled = 0 WHERE id = $1";
pub(super) const DROP: &str = "DELETE FROM jobs WHERE id = $1";
pub(super) const SET_ASIDE: &str =
    "UPDATE jobs SET leased = 0, owner = '', due = $2, ready = $2, why = $3 WHERE id = $1";

pub(super) const HELD: &str =
    "SELECT cancelled FROM jobs WHERE id = $1 AND fence = $2 AND leased = 1";
pub(super) const PROLONG: &str =
    "UPDATE jobs SET ready = $3 WHERE id = $1 AND fence = $2 AND leased = 1 AND cancelled = 0";
pub(super) const CONSUME: &str =
    "DELETE FROM jobs WHERE id = $1 AND fence = $2 AND leased = 1 AND again IS NULL";
pub(super) const CONSUME_AGAIN: &str = "UPDATE jobs SET leased = 0, cancelled = 0, owner = '', \
     attempts = 0, due = again, ready = again, again = NULL \
     WHERE id = $1 AND fence = $2 AND leased = 1 AND again IS NOT NULL";
pub(super) const PUT_BACK: &str = "UPDATE jobs SET leased = 0, cancelled = 0, owner = '', \
     attempts = attempts + 1, why = $4, again = NULL, \
     due = CASE WHEN again < $3 THEN again ELSE $3 END, \
     ready = CASE WHEN again < $3 THEN again ELSE $3 END \
     WHERE id = $1 AND fence = $2 AND leased = 1 AND (cancelled = 0 OR again IS NOT NULL)";
pub(super) const PUT_BACK_CANCELLED: &str =
    "DELETE FROM jobs WHERE id = $1 AND fence = $2 AND leased = 1 AND cancelled = 1";

macro_rules! put {
    ($repeat:literal) => {
        concat!(
            "INSERT INTO jobs (key, kind, class, run, entry, due, ready) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (key) DO ",
            $repeat
        )
    };
}

pub(super) const PUT_KEEP: &str = put!("NOTHING");
pub(super) const PUT_SOONER: &str = put!(
    "UPDATE SET again = CASE WHEN jobs.leased = 0 THEN NULL \
     WHEN jobs.again IS NULL OR jobs.again > excluded.due THEN excluded.due \
     ELSE jobs.again END, \
     due = CASE WHEN jobs.leased = 0 AND jobs.due > excluded.due \
     THEN excluded.due ELSE jobs.due END, \
     ready = CASE WHEN jobs.leased = 0 AND jobs.ready > excluded.due \
     THEN excluded.due ELSE jobs.ready END"
);
pub(super) const PUT_REPLACE: &str = put!(
    "UPDATE SET kind = excluded.kind, class = excluded.class, run = excluded.run, \
     entry = excluded.entry, \
     again = CASE WHEN jobs.leased = 0 THEN NULL ELSE excluded.due END, \
     due = CASE WHEN jobs.leased = 0 THEN excluded.due ELSE jobs.due END, \
     ready = CASE WHEN jobs.leased = 0 THEN excluded.due ELSE jobs.ready END, \
     attempts = CASE WHEN jobs.leased = 0 THEN 0 ELSE jobs.attempts END"
);

pub(super) const CANCEL_WAITING: &str =
    "DELETE FROM jobs WHERE run = $1 AND entry <= $2 AND leased = 0";
pub(super) const CANCEL_LEASED: &str =
    "UPDATE jobs SET cancelled = 1 WHERE run = $1 AND entry <= $2 AND leased = 1";
pub(super) const RECLAIM_CANCELLED: &str = "DELETE FROM jobs \
     WHERE leased = 1 AND owner <> $1 AND cancelled = 1 AND again IS NULL";
pub(super) const RECLAIM: &str = "UPDATE jobs SET leased = 0, cancelled = 0, owner = '', \
     attempts = attempts + 1, again = NULL, due = $2, ready = $2 \
     WHERE leased = 1 AND owner <> $1";

pub(super) const IS_DELIVERY: &str = "SELECT 1 FROM deliveries WHERE id = $1";
pub(super) const DELIVERY: &str = "SELECT event, at, bytes, body FROM deliveries WHERE id = $1";
pub(super) const PRUNE: &str = "DELETE FROM deliveries WHERE id IN ( \
     SELECT old.id FROM deliveries old WHERE old.at < $1 AND NOT EXISTS ( \
     SELECT 1 FROM jobs WHERE jobs.key = 'inbox:' || old.id) ORDER BY old.at LIMIT $2)";

pub(super) const OPEN: &str = "INSERT INTO runs (run, version, entries, repo, issue, title, \
     opened, policy, pull, branch, base, head, live, at_stage, moved, words, state) \
     VALUES ($1, 1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
     ON CONFLICT DO NOTHING";
/// Moves a run from version `$10`, if the lease `$11` under fence `$12` is held or 0.
pub(super) const MOVE: &str = "UPDATE runs SET version = version + 1, entries = entries + 1, \
     pull = $2, branch = $3, base = $4, head = $5, live = $6, at_stage = $7, moved = $8, \
     words = $9, state = $13, lane = $14, lane_since = $15 WHERE run = $1 AND version = $10 \
     AND ($11 = 0 OR EXISTS ( \
     SELECT 1 FROM jobs WHERE id = $11 AND fence = $12 AND leased = 1))";
pub(super) const VERSION: &str = "SELECT version FROM runs WHERE run = $1";
pub(super) const ONE_MORE_ENTRY: &str = "UPDATE runs SET entries = entries + 1 WHERE run = $1";
/// Appends an event as the newest entry of its run, at its version unless it was ignored.
pub(super) const APPEND: &str = "INSERT INTO events (run, number, version, event, ignored, words) \
     SELECT run, entries, CASE WHEN $3 IS NULL THEN version END, $2, $3, words \
     FROM runs WHERE run = $1";
pub(super) const LOAD: &str = "SELECT version, policy, state FROM runs WHERE run = $1";
pub(super) const TIMELINE: &str = "SELECT number, version, event, ignored, words FROM events \
     WHERE run = $1 ORDER BY number";

macro_rules! rows {
    ($rest:literal) => {
        concat!(
            "SELECT run, repo, issue, title, pull, branch, base, head, live, at_stage, \
             opened, moved FROM runs ",
            $rest
        )
    };
}

pub(super) const RUNS: &str = rows!("ORDER BY opened DESC, run DESC LIMIT $1");
pub(super) const LIVE_RUNS: &str = rows!("WHERE live = 1 ORDER BY opened, run");
pub(super) const LIVE_RUNS_OF: &str = rows!("WHERE live = 1 AND repo = $1 ORDER BY opened, run");
pub(super) const LIVE_RUN: &str = "SELECT run FROM runs WHERE repo = $1 \
     AND (issue = $2 OR pull = $2) AND live = 1 ORDER BY opened DESC, run DESC LIMIT 1";
pub(super) const LATEST_RUN: &str = "SELECT run FROM runs WHERE repo = $1 \
     AND (issue = $2 OR pull = $2) ORDER BY opened DESC, run DESC LIMIT 1";
pub(super) const LIVE_RUN_OF_ISSUE: &str =
    "SELECT run FROM runs WHERE repo = $1 AND issue = $2 AND live = 1";

pub(super) const LANES: &str = "SELECT repo, base, run, alarm FROM lanes ORDER BY repo, base";
pub(super) const LANE: &str = "SELECT run, alarm FROM lanes WHERE repo = $1 AND base = $2";
pub(super) const TAKE_LANE: &str = "INSERT INTO lanes (repo, base, run) VALUES ($1, $2, $3) \
     ON CONFLICT (repo, base) DO UPDATE SET run = excluded.run \
     WHERE lanes.run = excluded.run AND lanes.alarm IS NULL";
pub(super) const RELEASE_LANE: &str =
    "DELETE FROM lanes WHERE repo = $1 AND base = $2 AND run = $3 AND alarm IS NULL";
pub(super) const CLOSE_LANE: &str = "INSERT INTO lanes (repo, base, run, alarm) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (repo, base) DO UPDATE SET alarm = excluded.alarm \
     WHERE lanes.alarm IS NULL";
pub(super) const CLEAR_LANE: &str =
    "DELETE FROM lanes WHERE repo = $1 AND base = $2 AND alarm IS NOT NULL";

/// Makes the lane timer of the run due that has waited longest for a lane.
pub(super) const WAKE_NEXT: &str = "UPDATE jobs SET ready = $3 WHERE leased = 0 AND ready > $3 \
     AND key = (SELECT run || '/timer/lane' FROM runs WHERE repo = $1 AND lane = $2 AND live = 1 \
     ORDER BY lane_since, run LIMIT 1)";
/// The same for one run, if nobody holds the lane.
pub(super) const WAKE_IF_FREE: &str = "UPDATE jobs SET ready = $3 \
     WHERE leased = 0 AND ready > $3 AND key = $4 || '/timer/lane' \
     AND NOT EXISTS (SELECT 1 FROM lanes WHERE repo = $1 AND base = $2)";

pub(super) const PUBLISH: &str = "INSERT INTO published (run, surface, remote, hash, at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run, surface) DO UPDATE SET \
     remote = excluded.remote, hash = excluded.hash, at = excluded.at";
pub(super) const PUBLISHED: &str =
    "SELECT surface, remote, hash, at FROM published WHERE run = $1 ORDER BY surface";

pub(super) const AUDIT: &str = "INSERT INTO audit \
     (at, act, who, run, repo, head, tree, digest, verdict) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

macro_rules! audits {
    ($which:literal) => {
        concat!(
            "SELECT number, at, act, who, run, repo, head, tree, digest, verdict FROM audit ",
            $which,
            "ORDER BY number DESC LIMIT $1"
        )
    };
}

pub(super) const AUDITS: &str = audits!("");
pub(super) const AUDITS_OF_RUN: &str = audits!("WHERE run = $2 ");
pub(super) const AUDITS_OF_REPO: &str = audits!("WHERE repo = $2 ");
pub(super) const FORGET_AUDITS: &str = "DELETE FROM audit WHERE number IN ( \
     SELECT old.number FROM audit old WHERE old.at < $1 ORDER BY old.at LIMIT $2)";

/// Held by a PostgreSQL writer that judges a call, until its transaction ends.
pub(super) const LOCK_SPEND: &str = "SELECT pg_advisory_xact_lock(7163412) IS NULL";
pub(super) const SUM: &str =
    "SELECT spent, reserved FROM sums WHERE scope = $1 AND key = $2 AND since = $3";
pub(super) const RESERVE_SUM: &str = "INSERT INTO sums (scope, key, since, spent, reserved, moved) \
     VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (scope, key, since) DO UPDATE SET \
     reserved = sums.reserved + excluded.reserved, moved = excluded.moved";
pub(super) const SETTLE_SUM: &str = "UPDATE sums SET reserved = reserved - $4, spent = spent + $5 \
     WHERE scope = $1 AND key = $2 AND since = $3";
pub(super) const RESERVE: &str = "INSERT INTO spend \
     (run, entry, stage, repo, issue, person, installation, at, micros) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id";
macro_rules! open_spend {
    ($which:literal) => {
        concat!(
            "SELECT id, run, entry, stage, repo, issue, person, installation, at, micros \
             FROM spend WHERE is_open = 1 AND ",
            $which
        )
    };
}
pub(super) const OPEN_SPEND: &str = open_spend!("id = $1");
pub(super) const OPEN_SPEND_OF: &str = open_spend!("run = $1 AND entry < $2 ORDER BY id");
pub(super) const CLOSE_SPEND: &str = "UPDATE spend SET is_open = 0, micros = $2, is_unknown = $3 \
     WHERE id = $1 AND is_open = 1";
pub(super) const FORGET_SPEND: &str = "DELETE FROM spend WHERE id IN ( \
     SELECT old.id FROM spend old WHERE old.at < $1 ORDER BY old.at LIMIT $2)";
pub(super) const FORGET_SUMS: &str = "DELETE FROM sums WHERE (scope, key, since) IN ( \
     SELECT old.scope, old.key, old.since FROM sums old WHERE old.moved < $1 \
     ORDER BY old.moved LIMIT $2)";

pub(super) const SHOW_LIVE: &str = "INSERT INTO live (run, entry, at, live) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (run) DO UPDATE SET entry = excluded.entry, \
     at = excluded.at, live = excluded.live WHERE live.entry <= excluded.entry";
pub(super) const LIVE: &str = "SELECT entry, at, live FROM live WHERE run = $1";
pub(super) const END_LIVE: &str = "DELETE FROM live WHERE run = $1 AND entry < $2";
pub(super) const FORGET_LIVE: &str = "DELETE FROM live WHERE run IN ( \
     SELECT old.run FROM live old WHERE old.at < $1 ORDER BY old.at LIMIT $2)";
pub(super) const KEEP_STREAM: &str = "INSERT INTO streams \
     (run, entry, agent, at, bytes, is_cut, frame) VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(super) const STREAMS: &str = "SELECT entry, agent, at, bytes, is_cut FROM streams \
     WHERE run = $1 ORDER BY entry DESC, id DESC LIMIT $2";
pub(super) const STREAM: &str = "SELECT entry, agent, at, bytes, is_cut, run, frame FROM streams \
     WHERE run = $1 AND entry = $2 ORDER BY id DESC LIMIT $3";
pub(super) const FORGET_STREAMS: &str = "DELETE FROM streams WHERE id IN ( \
     SELECT old.id FROM streams old WHERE old.at < $1 ORDER BY old.at LIMIT $2)";

pub(super) const GAUGES: &str = "SELECT \
     (SELECT COUNT(*) FROM jobs WHERE leased = 0 AND ready <= $1), \
     (SELECT COUNT(*) FROM jobs WHERE leased = 1), \
     (SELECT COUNT(*) FROM jobs WHERE leased = 0 AND ready > $1), \
     (SELECT COUNT(*) FROM runs WHERE live = 1), \
     (SELECT COUNT(*) FROM deliveries)";
