-- The ledger. `text` is the row as it was hashed; every other column is a copy out of it, to look rows up by.
CREATE TABLE events (
    position BIGINT PRIMARY KEY,
    at BIGINT NOT NULL, -- microseconds since 1970
    stream TEXT NOT NULL,
    version BIGINT NOT NULL,
    leaf TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (stream, version)
);

CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END
$$;

CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only();
