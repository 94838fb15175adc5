-- A body that was seen is known again whatever its headers say; what we write ourselves has none.
ALTER TABLE deliveries ADD COLUMN hash TEXT;
CREATE UNIQUE INDEX deliveries_hash ON deliveries (hash);

-- What was done and refused. Appended; kept for ninety days at least, whoever asks.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    act TEXT NOT NULL,
    who TEXT NOT NULL,
    run TEXT,
    repo TEXT,
    head TEXT,
    tree TEXT,
    digest TEXT,
    verdict TEXT NOT NULL
);
CREATE INDEX audit_run ON audit (run, number);
CREATE INDEX audit_repo ON audit (repo, number);
CREATE INDEX audit_at ON audit (at);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is never changed');
END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
WHEN OLD.at > (unixepoch() - 7776000) * 1000
BEGIN
    SELECT RAISE(ABORT, 'the audit is kept for ninety days');
END;
