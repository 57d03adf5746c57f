-- What the sensors said. received_at is the network server's time, the same at every redelivery.

-- One frame as received. uplink_key is a 64-bit digest of (source, DevEUI, DevAddr, FCnt, deduplication id):
-- the unique index is what stores a redelivery once, and what finds a device's uplinks by time.
CREATE TABLE uplinks (
  received_at      timestamptz NOT NULL,
  uplink_key       bigint NOT NULL,
  ingested_at      timestamptz NOT NULL,
  f_cnt            bigint NOT NULL,
  frequency_hz     bigint,
  device_id        integer NOT NULL,
  decoder_id       integer,
  bandwidth_hz     integer,
  source_id        smallint NOT NULL,
  f_port           smallint,
  spreading_factor smallint,
  data_rate        smallint,
  confirmed        boolean NOT NULL,
  adr              boolean NOT NULL,
  dev_addr         text NOT NULL,
  outcome          text NOT NULL,
  detail           text NOT NULL,
  payload          bytea NOT NULL,
  object           jsonb           -- what the network server decoded; kept when no decoder of ours did
)
--plain PARTITION BY RANGE (received_at)
;
--timescale SELECT create_hypertable('uplinks', by_range('received_at', INTERVAL '7 days'), create_default_indexes => false);
CREATE UNIQUE INDEX uplinks_key ON uplinks (device_id, received_at, uplink_key);

-- One gateway's hearing of an uplink.
CREATE TABLE receptions (
  received_at timestamptz NOT NULL,
  uplink_key  bigint NOT NULL,
  device_id   integer NOT NULL,
  gateway_id  integer NOT NULL,
  rssi_dbm    real,
  snr_db      real,
  channel     smallint
)
--plain PARTITION BY RANGE (received_at)
;
--timescale SELECT create_hypertable('receptions', by_range('received_at', INTERVAL '7 days'), create_default_indexes => false);
CREATE UNIQUE INDEX receptions_key ON receptions (device_id, received_at, uplink_key, gateway_id);

CREATE TABLE measurements (
  measured_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  value       double precision NOT NULL,
  device_id   integer NOT NULL,
  quantity_id smallint NOT NULL,
  channel     smallint NOT NULL
)
--plain PARTITION BY RANGE (measured_at)
;
--timescale SELECT create_hypertable('measurements', by_range('measured_at', INTERVAL '7 days'), create_default_indexes => false);
CREATE UNIQUE INDEX measurements_key ON measurements (device_id, quantity_id, channel, measured_at);

-- Joins, statuses, logs, gateway statistics: what a network server tells that is not an uplink.
CREATE TABLE network_events (
  received_at timestamptz NOT NULL,
  event_key   bigint NOT NULL,
  ingested_at timestamptz NOT NULL,
  device_id   integer,
  gateway_id  integer,
  source_id   smallint NOT NULL,
  kind        text NOT NULL,
  data        jsonb NOT NULL,
  CHECK (num_nonnulls(device_id, gateway_id) = 1)
)
--plain PARTITION BY RANGE (received_at)
;
--timescale SELECT create_hypertable('network_events', by_range('received_at', INTERVAL '7 days'), create_default_indexes => false);
CREATE UNIQUE INDEX network_events_key ON network_events (received_at, event_key);
CREATE INDEX network_events_device ON network_events (device_id, received_at) WHERE device_id IS NOT NULL;
CREATE INDEX network_events_gateway ON network_events (gateway_id, received_at) WHERE gateway_id IS NOT NULL;

-- The newest frame of each kind that a device sends: "layout" is a digest of the (quantity, channel) pairs it
-- carries, 0 for a frame without readings. One row is written per uplink, whatever the number of readings.
CREATE TABLE latest_frames (
  device_id    integer NOT NULL,
  layout       integer NOT NULL,
  measured_at  timestamptz NOT NULL,
  received_at  timestamptz NOT NULL,
  quantity_ids smallint[] NOT NULL,
  channels     smallint[] NOT NULL,
  readings     double precision[] NOT NULL,
  PRIMARY KEY (device_id, layout)
) WITH (fillfactor = 70);

CREATE VIEW latest AS
  SELECT DISTINCT ON (device_id, quantity_id, channel)
         device_id, quantity_id, channel, value, measured_at, received_at
    FROM latest_frames, unnest(quantity_ids, channels, readings) AS one (quantity_id, channel, value)
ORDER BY device_id, quantity_id, channel, measured_at DESC;

-- "Something of this device changed in this hour": written with each batch, consumed by maintenance, which
-- rebuilds what is derived of that hour (roll-ups, radio accounts). Append-only, so nobody waits for anybody.
CREATE TABLE changed_hours (
  device_id integer NOT NULL,
  hour      timestamptz NOT NULL
);

-- What became of every message, per UTC day: kept by the transaction that stores it, so that it adds up.
-- One row per worker, so that workers never wait for each other.
CREATE TABLE ingest_accounts (
  day       date NOT NULL,
  source_id smallint NOT NULL,
  tenant_id integer,
  kind      text NOT NULL,      -- uplink, join, status, …, message (what could not be read)
  outcome   text NOT NULL,      -- stored, duplicate, quarantined, ignored
  worker    text NOT NULL,
  messages  bigint NOT NULL,
  UNIQUE NULLS NOT DISTINCT (day, source_id, tenant_id, kind, outcome, worker)
) WITH (fillfactor = 50);

-- What could not be stored, with its reason. The same message again is counted, not kept again.
CREATE TABLE quarantine (
  quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest        bytea NOT NULL,          -- SHA-256 of (source, topic, message, reason, quantity)
  first_at      timestamptz NOT NULL,
  last_at       timestamptz NOT NULL,
  times         bigint NOT NULL DEFAULT 1,
  source_id     smallint NOT NULL,
  lns           text NOT NULL,
  topic         text NOT NULL,
  reason        text NOT NULL,
  detail        text NOT NULL,
  dev_eui       text,
  tenant_id     integer,
  day           date NOT NULL,           -- under which it stands in ingest_accounts, with the next
  kind          text,                    -- NULL for a reading: its message was stored
  message       bytea NOT NULL,          -- whole, or its first 4 KiB when too large
  message_bytes bigint NOT NULL,         -- its true size
  replayed_at   timestamptz,
  UNIQUE (digest)
);
CREATE INDEX quarantine_open ON quarantine (reason, quarantine_id) WHERE replayed_at IS NULL;
