-- Who may see an alert may see that it is held, and why.
ALTER TABLE held_alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE held_alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON held_alerts TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY alerting ON held_alerts TO samara_alerting USING (true) WITH CHECK (true);
CREATE POLICY reading ON held_alerts FOR SELECT TO samara_api USING (alert_id IN (SELECT alert_id FROM alerts));
GRANT SELECT ON held_alerts TO samara_api;
-- Ending a silence lets go at once of what it held.
CREATE POLICY releasing ON held_alerts FOR UPDATE TO samara_api
  USING (alert_id IN (SELECT alert_id FROM alerts WHERE tenant_id = ANY ((SELECT allowed('manage'))::integer[])));
GRANT UPDATE (release_at) ON held_alerts TO samara_api;

-- A test message, a dead letter that is sent after all, and what a removed contact is not sent any more.
CREATE POLICY adding ON deliveries FOR INSERT TO samara_api
  WITH CHECK (kind = 'test' AND tenant_id = ANY ((SELECT allowed('manage'))::integer[]));
CREATE POLICY changing ON deliveries FOR UPDATE TO samara_api
  USING (tenant_id = ANY ((SELECT allowed('manage'))::integer[]))
  WITH CHECK (tenant_id = ANY ((SELECT allowed('manage'))::integer[]));
GRANT INSERT, UPDATE ON deliveries TO samara_api;
