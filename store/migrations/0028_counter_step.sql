-- By how much a counter grew between two consecutive samples: `increase` of store/reading/pieces.py, for what is added up
-- over many points at once. A test compares the two.
CREATE FUNCTION counter_step(before double precision, after double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
  WHEN before IS NULL THEN NULL
  WHEN after >= before * 0.9 THEN after - before
  WHEN before < 65536 AND 65536 - before + after <= 65536 / 64.0 THEN 65536 - before + after
  WHEN before < 16777216 AND 16777216 - before + after <= 16777216 / 64.0 THEN 16777216 - before + after
  WHEN before < 4294967296 AND 4294967296 - before + after <= 4294967296 / 64.0 THEN 4294967296 - before + after
  ELSE after
END;
