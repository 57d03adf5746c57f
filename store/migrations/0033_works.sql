-- Works may be at one point or on one antenna, and somebody announced them.
ALTER TABLE maintenance_windows
  ADD COLUMN point_id   integer REFERENCES points,
  ADD COLUMN gateway_id integer REFERENCES gateways,
  ADD COLUMN created_by text NOT NULL DEFAULT '',
  ADD CONSTRAINT maintenance_windows_of CHECK (num_nonnulls(site_id, point_id, gateway_id) <= 1);
