-- What the events add up to. Written with them in one transaction, and made again from them at any time.
-- `position` is that of the first event: the order of submission.
CREATE TABLE requests (
    id TEXT PRIMARY KEY NOT NULL,
    requester TEXT NOT NULL,
    phase TEXT NOT NULL,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    risk TEXT
);
CREATE INDEX requests_by_requester ON requests (requester, position);
CREATE INDEX requests_by_phase ON requests (phase, position);

CREATE TABLE grants (
    id TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    phase TEXT NOT NULL,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX grants_by_holder ON grants (holder, position);
CREATE INDEX grants_by_phase ON grants (phase, position);

-- Who may read which event.
CREATE TABLE audience (
    user_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (user_id, position)
);
