-- What technicians did with sensors on the ground, and the pictures that they took. Which device measures which point is
-- said by assignments alone: this says who did it, what they noted, and what the meter showed.
CREATE TABLE installations (
  installation_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id       integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  device_id       integer NOT NULL REFERENCES devices ON DELETE CASCADE,
  point_id        integer REFERENCES points ON DELETE CASCADE,  -- NULL: it went into stock
  act             text NOT NULL CHECK (act IN ('installed', 'replaced', 'moved', 'removed')),
  done_at         timestamptz NOT NULL,
  recorded_at     timestamptz NOT NULL DEFAULT now(),           -- later, when it was done without a network
  account_id      integer REFERENCES accounts ON DELETE SET NULL,
  note            text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  former_dev_eui  text CHECK (former_dev_eui ~ '^[0-9a-f]{16}$'),  -- which it replaced
  former_index    double precision,                             -- the meter's, when the former was taken away
  new_index       double precision,                             -- the meter's, when this one began
  latitude_deg    double precision CHECK (latitude_deg BETWEEN -90 AND 90),
  longitude_deg   double precision CHECK (longitude_deg BETWEEN -180 AND 180),
  CHECK ((point_id IS NULL) = (act = 'removed'))
);
CREATE INDEX installations_device ON installations (device_id, done_at);
CREATE INDEX installations_account ON installations (account_id, done_at);
CREATE INDEX installations_tenant ON installations (tenant_id, installation_id);
CALL protect('installations', 'health', 'install');

CREATE TABLE photos (
  device_id  integer NOT NULL REFERENCES devices ON DELETE CASCADE,
  taken_at   timestamptz NOT NULL,
  tenant_id  integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  content    bytea NOT NULL CHECK (octet_length(content) <= 1048576),  -- JPEG
  PRIMARY KEY (device_id, taken_at)
);
CREATE INDEX photos_tenant ON photos (tenant_id);
CALL protect('photos', 'health', 'install');
