-- What a point's meter is for (domain/uses.py), and behind which other meter it counts. What is part of another is in no
-- total of its own: the other has counted it.

ALTER TABLE points
  ADD COLUMN use     text CHECK (use IN ('heating', 'cooling', 'hot_water', 'ventilation', 'lighting', 'sockets', 'kitchen',
                                         'charging', 'outdoor_lighting', 'watering', 'other')),
  ADD COLUMN part_of integer,
  ADD CONSTRAINT points_part_of FOREIGN KEY (part_of, of_tenant_id) REFERENCES points (point_id, of_tenant_id)
      ON DELETE SET NULL (part_of);
CREATE INDEX points_parts ON points (part_of) WHERE part_of IS NOT NULL;

-- Not a part of itself, through however many; and of what counts the same, where both were heard. Another tenant's point
-- is as none: the foreign key says so at the end of the statement, which may bring both.
CREATE FUNCTION judge_part() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1346458196, NEW.of_tenant_id);  -- "PART": two that each close half a ring
  IF NEW.part_of = NEW.point_id
     OR EXISTS (WITH RECURSIVE above AS (
                  SELECT part_of FROM public.points
                   WHERE point_id = NEW.part_of AND of_tenant_id = NEW.of_tenant_id
                   UNION
                  SELECT points.part_of FROM public.points JOIN above ON points.point_id = above.part_of
                )
                SELECT FROM above WHERE part_of = NEW.point_id) THEN
    RAISE check_violation USING CONSTRAINT = 'points_part_ring', MESSAGE = 'a point cannot be a part of itself';
  END IF;
  IF (WITH said AS (
        SELECT DISTINCT held.point_id, quantity.quantity_id, quantity.kind
          FROM public.assignments AS held
          JOIN public.latest_frames AS frame ON frame.device_id = held.device_id
         CROSS JOIN unnest(frame.quantity_ids) AS reading (quantity_id)
          JOIN public.quantities AS quantity ON quantity.quantity_id = reading.quantity_id
         WHERE held.point_id IN (NEW.point_id, NEW.part_of)
           AND held.of_tenant_id = NEW.of_tenant_id
           AND quantity.domain <> 'device'
      )
      SELECT count(DISTINCT point_id) = 2
             AND NOT EXISTS (SELECT FROM said AS part JOIN said AS whole USING (quantity_id)
                              WHERE part.point_id = NEW.point_id AND whole.point_id = NEW.part_of
                                AND part.kind = 'counter')
        FROM said) THEN
    RAISE check_violation USING CONSTRAINT = 'points_part_quantity', MESSAGE = 'the two points count nothing alike';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION judge_part() FROM PUBLIC;
CREATE TRIGGER points_part BEFORE INSERT OR UPDATE OF part_of ON points
  FOR EACH ROW WHEN (NEW.part_of IS NOT NULL) EXECUTE FUNCTION judge_part();
