-- Writes that bore an Idempotency-Key, with what was answered: the same key within a day is answered alike.
CREATE TABLE idempotency_keys (
  account  text NOT NULL,          -- who asked
  key      text NOT NULL,
  digest   bytea NOT NULL,         -- SHA-256 of the method, the address and the body
  asked_at timestamptz NOT NULL,
  status   smallint,
  headers  jsonb,
  body     bytea,
  PRIMARY KEY (account, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (asked_at);
