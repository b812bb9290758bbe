-- The ledger. `text` is the row as it was hashed; every other column is a copy out of it, to look rows up by.
CREATE TABLE events (
    position INTEGER PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL, -- microseconds since 1970
    stream TEXT NOT NULL,
    version BIGINT NOT NULL,
    leaf TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (stream, version)
);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- INSERT OR REPLACE deletes without firing the trigger above.
CREATE TRIGGER events_are_never_replaced BEFORE INSERT ON events
WHEN EXISTS (
    SELECT 1 FROM events
    WHERE position = NEW.position OR (stream = NEW.stream AND version = NEW.version)
)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
