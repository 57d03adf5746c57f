-- What is derived from measurements and uplinks, and can be rebuilt from them. Maintenance rebuilds what
-- changed_hours names; until then readers take those hours from the measurements themselves.

-- What readers of the territory look for: the devices of a tenant, the points of a device and the reverse.
CREATE INDEX devices_tenant ON devices (tenant_id, device_id);
CREATE INDEX assignments_point ON assignments (point_id);
CREATE INDEX assignments_device ON assignments (device_id);

CREATE INDEX changed_hours_device ON changed_hours (device_id, hour);

-- An hour of one series. total / samples is the mean; low, high, first and last tell whether a counter restarted.
--plain CREATE TABLE measurements_hourly (
--plain   device_id   integer NOT NULL,
--plain   quantity_id smallint NOT NULL,
--plain   channel     smallint NOT NULL,
--plain   hour        timestamptz NOT NULL,
--plain   samples     bigint NOT NULL,
--plain   total       double precision NOT NULL,
--plain   low         double precision NOT NULL,
--plain   high        double precision NOT NULL,
--plain   first       double precision NOT NULL,
--plain   first_at    timestamptz NOT NULL,
--plain   last        double precision NOT NULL,
--plain   last_at     timestamptz NOT NULL,
--plain   PRIMARY KEY (device_id, quantity_id, channel, hour)
--plain );
--timescale CREATE MATERIALIZED VIEW measurements_hourly
--timescale   WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
--timescale SELECT device_id, quantity_id, channel, time_bucket('1 hour', measured_at) AS hour,
--timescale        count(*) AS samples, sum(value) AS total, min(value) AS low, max(value) AS high,
--timescale        first(value, measured_at) AS first, min(measured_at) AS first_at,
--timescale        last(value, measured_at) AS last, max(measured_at) AS last_at
--timescale   FROM measurements
--timescale  GROUP BY device_id, quantity_id, channel, time_bucket('1 hour', measured_at)
--timescale   WITH NO DATA;
--timescale CREATE INDEX measurements_hourly_key ON measurements_hourly (device_id, quantity_id, channel, hour);

-- A day of the territory (23 to 25 hours), made of hours. "day" is the instant at which it begins.
--plain CREATE TABLE measurements_daily (
--plain   device_id   integer NOT NULL,
--plain   quantity_id smallint NOT NULL,
--plain   channel     smallint NOT NULL,
--plain   day         timestamptz NOT NULL,
--plain   samples     bigint NOT NULL,
--plain   total       double precision NOT NULL,
--plain   low         double precision NOT NULL,
--plain   high        double precision NOT NULL,
--plain   first       double precision NOT NULL,
--plain   first_at    timestamptz NOT NULL,
--plain   last        double precision NOT NULL,
--plain   last_at     timestamptz NOT NULL,
--plain   PRIMARY KEY (device_id, quantity_id, channel, day)
--plain );
--timescale CREATE MATERIALIZED VIEW measurements_daily
--timescale   WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
--timescale SELECT device_id, quantity_id, channel, time_bucket('1 day', hour, 'Europe/Paris') AS day,
--timescale        sum(samples)::bigint AS samples, sum(total) AS total, min(low) AS low, max(high) AS high,
--timescale        first(first, first_at) AS first, min(first_at) AS first_at,
--timescale        last(last, last_at) AS last, max(last_at) AS last_at
--timescale   FROM measurements_hourly
--timescale  GROUP BY device_id, quantity_id, channel, time_bucket('1 day', hour, 'Europe/Paris')
--timescale   WITH NO DATA;
--timescale CREATE INDEX measurements_daily_key ON measurements_daily (device_id, quantity_id, channel, day);

-- Days of which some hours were rolled up again, and the day itself not yet: readers take its hours until then.
CREATE TABLE changed_days (
  day timestamptz PRIMARY KEY
);

-- What the radio let through, per device and UTC day, told by the frame counters. A session is a run of frames
-- with one DevAddr whose counter grows; a new one is a reset, and nothing counts as lost across it.
CREATE TABLE radio_accounts (
  device_id integer NOT NULL,
  day       date NOT NULL,
  heard     integer NOT NULL,  -- different frames
  lost      integer NOT NULL,  -- counter values that were skipped, on the day they were found missing
  late      integer NOT NULL,  -- heard after a frame that was sent later
  repeated  integer NOT NULL,  -- heard again: another network server, or sent again by the device
  resets    integer NOT NULL,  -- sessions begun
  PRIMARY KEY (device_id, day)
);

-- When a gateway last relayed an uplink, as each worker saw it: nobody waits for anybody.
CREATE TABLE gateways_heard (
  gateway_id integer NOT NULL,
  worker     text NOT NULL,
  heard_at   timestamptz NOT NULL,
  PRIMARY KEY (gateway_id, worker)
) WITH (fillfactor = 50);

-- How many whole months of a relation are kept. A relation without a row is kept for ever.
CREATE TABLE retention (
  relation    text PRIMARY KEY,
  keep_months integer NOT NULL CHECK (keep_months > 0)
);

-- What is older than two weeks is kept in columns, ten times smaller. The keys stay unique there.
--timescale ALTER TABLE uplinks SET (timescaledb.enable_columnstore,
--timescale   timescaledb.segmentby = 'device_id', timescaledb.orderby = 'received_at, uplink_key');
--timescale ALTER TABLE receptions SET (timescaledb.enable_columnstore,
--timescale   timescaledb.segmentby = 'device_id', timescaledb.orderby = 'received_at, uplink_key, gateway_id');
--timescale ALTER TABLE measurements SET (timescaledb.enable_columnstore,
--timescale   timescaledb.segmentby = 'device_id', timescaledb.orderby = 'quantity_id, channel, measured_at');
--timescale ALTER TABLE network_events SET (timescaledb.enable_columnstore,
--timescale   timescaledb.segmentby = 'gateway_id, device_id', timescaledb.orderby = 'received_at, event_key');
--timescale ALTER MATERIALIZED VIEW measurements_hourly SET (timescaledb.enable_columnstore,
--timescale   timescaledb.segmentby = 'device_id', timescaledb.orderby = 'quantity_id, channel, hour');
--timescale CALL add_columnstore_policy('uplinks', after => INTERVAL '14 days');
--timescale CALL add_columnstore_policy('receptions', after => INTERVAL '14 days');
--timescale CALL add_columnstore_policy('measurements', after => INTERVAL '14 days');
--timescale CALL add_columnstore_policy('network_events', after => INTERVAL '14 days');
--timescale CALL add_columnstore_policy('measurements_hourly', after => INTERVAL '90 days');
