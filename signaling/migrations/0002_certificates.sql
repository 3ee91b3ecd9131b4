-- Certificates of staff devices, opaque here: clients check each under the practice's key.
CREATE TABLE certificates (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    certificate BLOB NOT NULL,
    put_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, certificate)
) STRICT;
CREATE INDEX certificates_by_age ON certificates (put_at);
