-- What a network server tells of a gateway that left is no word of the gateway.
CREATE OR REPLACE FUNCTION last_gateway_event_at(gateway_id integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT told.received_at
    FROM public.network_events AS told
   WHERE told.gateway_id = $1
     AND NOT (told.kind = 'gateway_connection' AND told.data @> '{"online": false}')
   ORDER BY told.received_at DESC
   LIMIT 1
$$;
