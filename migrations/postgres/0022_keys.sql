-- A body that was seen is known again whatever its headers say; what we write ourselves has none.
ALTER TABLE deliveries ADD COLUMN hash TEXT;
CREATE UNIQUE INDEX deliveries_hash ON deliveries (hash);

-- What was done and refused. Appended; kept for ninety days at least, whoever asks.
CREATE TABLE audit (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at <= (extract(epoch FROM now())::bigint - 7776000) * 1000 THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the audit is kept for ninety days';
    END IF;
    RAISE EXCEPTION 'the audit is never changed';
END
$$;
CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_kept();
CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept();
