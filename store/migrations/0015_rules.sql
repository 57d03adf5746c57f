-- Rules by hand of the API: what it may write, and what evaluation then does of itself.

-- What is told is not always a change of phase that a measurement made: late ones may show that it never was so.
ALTER TABLE outbox ALTER COLUMN transition_id DROP NOT NULL;

-- "expanded_at" is set for as long as a rule is applied to its target. People enable and disable; evaluation applies
-- what is enabled, and takes off what no longer is.
CREATE INDEX rules_to_take_off ON rules (rule_id) WHERE NOT enabled AND expanded_at IS NOT NULL;

-- Who runs the network: a syndicat above all others, or the only tenant that nobody is above.
CREATE FUNCTION runs_network(asked integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT
                   FROM public.tenants AS one
                  WHERE one.tenant_id = asked
                    AND one.parent_id IS NULL
                    AND (one.kind = 'syndicat'
                         OR NOT EXISTS (SELECT
                                          FROM public.tenants AS other
                                         WHERE other.parent_id IS NULL
                                           AND other.tenant_id <> asked)))
$$;
REVOKE EXECUTE ON FUNCTION runs_network(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runs_network(integer) TO samara_api, samara_alerting;

-- Gateways are the network's: nobody else watches them.
UPDATE rules SET enabled = false WHERE kind = 'silent_gateway' AND NOT runs_network(tenant_id);
CREATE POLICY network_added ON rules AS RESTRICTIVE FOR INSERT TO samara_api
  WITH CHECK (kind <> 'silent_gateway' OR runs_network(tenant_id));
CREATE POLICY network_changed ON rules AS RESTRICTIVE FOR UPDATE TO samara_api
  USING (true) WITH CHECK (kind <> 'silent_gateway' OR runs_network(tenant_id));

-- What befalls the network itself (tenant_id NULL) is seen, and taken care of, by the people of whoever runs it.
CREATE FUNCTION allowed_on_network(wanted text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM unnest(public.allowed(wanted)) AS one WHERE public.runs_network(one))
$$;
REVOKE EXECUTE ON FUNCTION allowed_on_network(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION allowed_on_network(text) TO samara_api;
CREATE POLICY network_read ON incidents FOR SELECT TO samara_api
  USING (tenant_id IS NULL AND (SELECT allowed_on_network('read')));
CREATE POLICY network_managed ON incidents FOR UPDATE TO samara_api
  USING (tenant_id IS NULL AND (SELECT allowed_on_network('manage')))
  WITH CHECK (tenant_id IS NULL AND (SELECT allowed_on_network('manage')));
CREATE POLICY network_told ON incident_events FOR INSERT TO samara_api
  WITH CHECK (incident_id IN (SELECT incident_id FROM incidents WHERE tenant_id IS NULL)
              AND (SELECT allowed_on_network('manage')));
