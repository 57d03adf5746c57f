-- Points and assignments say whose they are, so that row security is one condition on one column: through sites it read
-- both tables whole for each statement.
--
-- Not "tenant_id": the version before, which runs while this is applied, joins these tables to sites and says that name
-- without saying of which.

ALTER TABLE sites ADD CONSTRAINT sites_of_tenant UNIQUE (site_id, tenant_id);

ALTER TABLE points ADD COLUMN of_tenant_id integer;
UPDATE points SET of_tenant_id = tenant_id FROM sites WHERE sites.site_id = points.site_id;
ALTER TABLE points ALTER COLUMN of_tenant_id SET NOT NULL;
ALTER TABLE points ADD CONSTRAINT points_of_tenant UNIQUE (point_id, of_tenant_id);
ALTER TABLE points ADD FOREIGN KEY (site_id, of_tenant_id) REFERENCES sites (site_id, tenant_id) ON UPDATE CASCADE;
CREATE INDEX points_tenant ON points (of_tenant_id, point_id);

ALTER TABLE assignments ADD COLUMN of_tenant_id integer;
UPDATE assignments SET of_tenant_id = points.of_tenant_id FROM points WHERE points.point_id = assignments.point_id;
ALTER TABLE assignments ALTER COLUMN of_tenant_id SET NOT NULL;
ALTER TABLE assignments ADD FOREIGN KEY (point_id, of_tenant_id) REFERENCES points (point_id, of_tenant_id) ON UPDATE CASCADE;
CREATE INDEX assignments_tenant ON assignments (of_tenant_id, point_id);

-- Whatever a statement says: a point is its site's tenant's. Row security judges what this wrote, and what is nobody's
-- is refused as what is somebody else's.
CREATE FUNCTION own_point() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.of_tenant_id := (SELECT tenant_id FROM public.sites WHERE site_id = NEW.site_id);
  RETURN NEW;
END $$;
CREATE TRIGGER points_owned BEFORE INSERT OR UPDATE OF site_id, of_tenant_id ON points
  FOR EACH ROW EXECUTE FUNCTION own_point();

CREATE FUNCTION own_assignment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.of_tenant_id := (SELECT of_tenant_id FROM public.points WHERE point_id = NEW.point_id);
  RETURN NEW;
END $$;
CREATE TRIGGER assignments_owned BEFORE INSERT OR UPDATE OF point_id, of_tenant_id ON assignments
  FOR EACH ROW EXECUTE FUNCTION own_assignment();

ALTER POLICY reading ON points USING (of_tenant_id = ANY ((SELECT allowed('health'))::integer[]));
ALTER POLICY adding ON points WITH CHECK (of_tenant_id = ANY ((SELECT allowed('install'))::integer[]));
ALTER POLICY changing ON points
  USING (of_tenant_id = ANY ((SELECT allowed('install'))::integer[]))
  WITH CHECK (of_tenant_id = ANY ((SELECT allowed('install'))::integer[]));

ALTER POLICY reading ON assignments USING (of_tenant_id = ANY ((SELECT allowed('health'))::integer[]));
ALTER POLICY adding ON assignments
  WITH CHECK (of_tenant_id = ANY ((SELECT allowed('install'))::integer[])
              AND EXISTS (SELECT FROM devices
                           WHERE devices.device_id = assignments.device_id
                             AND tenant_id = ANY ((SELECT allowed('install'))::integer[])));
ALTER POLICY changing ON assignments
  USING (of_tenant_id = ANY ((SELECT allowed('install'))::integer[]))
  WITH CHECK (of_tenant_id = ANY ((SELECT allowed('install'))::integer[]));
ALTER POLICY removing ON assignments USING (of_tenant_id = ANY ((SELECT allowed('install'))::integer[]));

ALTER POLICY writing ON point_tags
  USING (point_id IN (SELECT point_id FROM points WHERE of_tenant_id = ANY ((SELECT allowed('install'))::integer[])))
  WITH CHECK (point_id IN (SELECT point_id FROM points WHERE of_tenant_id = ANY ((SELECT allowed('install'))::integer[])));
