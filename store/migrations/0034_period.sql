-- The seconds between two uplinks of a device: as it is set up (its parameter period_s), else as its model leaves the factory.
CREATE FUNCTION period_of(parameters jsonb, of_model integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN parameters ->> 'period_s' ~ '^[1-9][0-9]{0,6}$' THEN (parameters ->> 'period_s')::integer ELSE of_model END;
