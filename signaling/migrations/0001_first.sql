-- Times are Unix seconds unless the column says ms. Ids are 16 random bytes. Secrets are stored as hashes only,
-- second-factor secrets sealed under a key that is not in this file.
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

CREATE TABLE practice (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    public_key BLOB NOT NULL,
    phone_signature BLOB NOT NULL
) STRICT;

CREATE TABLE users (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display TEXT NOT NULL,
    role TEXT NOT NULL,
    passphrase TEXT,
    totp_sealed BLOB,
    totp_confirmed INTEGER NOT NULL DEFAULT 0,
    totp_last_step INTEGER NOT NULL DEFAULT 0,
    enrol_hash BLOB,
    enrol_expires INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE tickets (
    hash BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE appointments (
    id BLOB PRIMARY KEY,
    label TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    duration_min INTEGER NOT NULL,
    host BLOB NOT NULL REFERENCES users (id),
    state TEXT NOT NULL
) STRICT;
CREATE INDEX appointments_by_begin ON appointments (starts_at);

CREATE TABLE invitations (
    id BLOB PRIMARY KEY,
    appointment BLOB NOT NULL REFERENCES appointments (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    role TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX invitations_by_appointment ON invitations (appointment);

-- Either a user or an invitation holds a session.
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user_id BLOB REFERENCES users (id) ON DELETE CASCADE,
    invitation BLOB REFERENCES invitations (id) ON DELETE CASCADE,
    participant BLOB NOT NULL,
    last_seen INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    CHECK ((user_id IS NULL) <> (invitation IS NULL))
) STRICT;

CREATE TABLE throttle (
    key BLOB PRIMARY KEY,
    tries INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    last_try INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
