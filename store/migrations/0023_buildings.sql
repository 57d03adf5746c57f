-- What pages about energy and water need to know and no sensor tells: buildings, prices, networks, the weather's thermometer.

CREATE TABLE buildings (
  site_id        integer PRIMARY KEY,
  tenant_id      integer NOT NULL REFERENCES tenants,
  floor_area_m2  double precision CHECK (floor_area_m2 > 0 AND floor_area_m2 < 1e7),
  activity       text NOT NULL DEFAULT '',  -- the category of the tertiary decree, as OPERAT names it
  reference_year smallint CHECK (reference_year BETWEEN 2010 AND 2022),
  reference_kwh  double precision CHECK (reference_kwh > 0 AND reference_kwh < 1e12),
  FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id) ON DELETE CASCADE
);
CALL protect('buildings', 'read', 'manage');

-- Euros for one unit of a quantity, taxes included, from a day on.
CREATE TABLE prices (
  tenant_id integer NOT NULL REFERENCES tenants,
  quantity  text NOT NULL,
  since     date NOT NULL,
  euros     double precision NOT NULL CHECK (euros >= 0 AND euros < 1e4),
  PRIMARY KEY (tenant_id, quantity, since)
);
CALL protect('prices', 'read', 'manage');

-- A year of a drinking water network, as its annual report (RPQS) tells it. Volumes in m3.
CREATE TABLE water_networks (
  tenant_id     integer NOT NULL REFERENCES tenants,
  year          smallint NOT NULL CHECK (year BETWEEN 2000 AND 2100),
  produced_m3   double precision NOT NULL CHECK (produced_m3 >= 0),
  imported_m3   double precision NOT NULL DEFAULT 0 CHECK (imported_m3 >= 0),
  exported_m3   double precision NOT NULL DEFAULT 0 CHECK (exported_m3 >= 0),
  authorised_m3 double precision NOT NULL CHECK (authorised_m3 >= 0),
  length_km     double precision NOT NULL CHECK (length_km > 0),
  PRIMARY KEY (tenant_id, year)
);
CALL protect('water_networks', 'read', 'manage');

-- Where the outdoor temperature of the territory is measured: the days of these points are everybody's, as weather is.
CREATE TABLE weather_points (
  tenant_id integer NOT NULL REFERENCES tenants,
  point_id  integer PRIMARY KEY REFERENCES points ON DELETE CASCADE
);
CALL protect('weather_points', 'read', 'administer');

CREATE FUNCTION weather_days(starting timestamptz, ending timestamptz)
  RETURNS TABLE (day timestamptz, low double precision, high double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT told.day, avg(told.low), avg(told.high)
    FROM weather_points
    JOIN assignments USING (point_id)
    JOIN quantities ON quantities.name = 'temperature'
    JOIN measurements_daily AS told
      ON told.device_id = assignments.device_id AND told.quantity_id = quantities.quantity_id AND told.channel = 0
     AND told.day >= greatest(starting, lower(assignments.during)) AND told.day < least(ending, upper(assignments.during))
   GROUP BY told.day
   ORDER BY told.day
$$;
REVOKE EXECUTE ON FUNCTION weather_days(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION weather_days(timestamptz, timestamptz) TO samara_api, samara_grafana, samara_alerting;
