-- What sign-in keeps. It has to be forgotten in time, so it is not part of the ledger.
CREATE TABLE accounts (
    user_id TEXT PRIMARY KEY NOT NULL,
    phc TEXT NOT NULL
);

-- All tokens that came from one sign-in. A row outlives its tokens, so that an ended family stays ended.
CREATE TABLE refresh_families (
    family TEXT PRIMARY KEY NOT NULL,
    ended BIGINT NOT NULL,
    expires_at BIGINT NOT NULL -- of its last token
);
CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at);

CREATE TABLE refresh_tokens (
    hash TEXT PRIMARY KEY NOT NULL,
    family TEXT NOT NULL,
    user_id TEXT NOT NULL,
    device TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
