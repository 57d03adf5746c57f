-- What communes are compared by, and which of them agreed to be.

-- The legal population (INSEE) that came into force on the first of January of `year`.
CREATE TABLE populations (
  tenant_id   integer PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  inhabitants integer NOT NULL CHECK (inhabitants BETWEEN 1 AND 99999999),
  year        smallint NOT NULL CHECK (year BETWEEN 1990 AND 2100)
);
CALL protect('populations', 'read', 'manage');

-- A row is an agreement; taking it away withdraws it. `agreed_by` is the name as it was then.
CREATE TABLE comparison_consents (
  tenant_id  integer PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  account_id integer REFERENCES accounts ON DELETE SET NULL,
  agreed_by  text NOT NULL,
  agreed_at  timestamptz NOT NULL DEFAULT now()
);
CALL protect('comparison_consents', 'read', 'manage');

-- Whether who asks may manage a tenant by a grant on this very tenant: who manages it from above does not speak for it.
CREATE FUNCTION speaks_for(tenant integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT tenant = ANY (public.allowed('manage'))
         AND EXISTS (SELECT FROM public.grants
                       JOIN public.role_permissions USING (role)
                      WHERE account_id = public.asking()
                        AND grants.tenant_id = tenant
                        AND permission = 'manage')
$$;
REVOKE EXECUTE ON FUNCTION speaks_for(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION speaks_for(integer) TO samara_api;

REVOKE UPDATE ON comparison_consents FROM samara_api;
DROP POLICY changing ON comparison_consents;
DROP POLICY adding ON comparison_consents;
CREATE POLICY adding ON comparison_consents FOR INSERT TO samara_api
  WITH CHECK (speaks_for(tenant_id) AND account_id = asking() AND agreed_at = now());
