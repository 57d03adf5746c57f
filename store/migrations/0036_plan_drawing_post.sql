-- The cells of a plan as they are drawn: runs of neighbouring cells that are heard alike.
ALTER TABLE coverage_plans DROP CONSTRAINT coverage_plans_part_check;
ALTER TABLE coverage_plans ADD CONSTRAINT coverage_plans_part_check
  CHECK (part IN ('cells', 'communes', 'antennas', 'drawing'));

-- domain.diagnosis.is_stuck: at SF12 with margin to spare.
CREATE INDEX device_health_stuck ON device_health (margin_db DESC)
  WHERE heard >= 10 AND sf12 >= 0.9 * heard AND margin_db >= 10;
