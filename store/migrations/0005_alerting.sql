-- What is to be watched, what was found, and what is to be told. docs/alerting.md says who writes what.

-- IANA zone of a place; NULL: the tenant's.
ALTER TABLE sites ADD COLUMN time_zone text;

-- Points are grouped by words: "chaufferie", "secteur:nord". A rule may speak of all that have one.
CREATE TABLE point_tags (
  point_id integer NOT NULL REFERENCES points ON DELETE CASCADE,
  tag      text NOT NULL CHECK (tag ~ '^[a-z0-9][a-z0-9:_-]{0,62}$'),
  PRIMARY KEY (point_id, tag)
);
CREATE INDEX point_tags_tag ON point_tags (tag, point_id);

-- When a site is open: weekly hours, holidays that it keeps, exceptions (alerting/calendars.py is the form of
-- "definition"). Of one site, or of all sites of the tenant that have none of their own (site_id NULL).
CREATE TABLE calendars (
  calendar_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id   integer NOT NULL REFERENCES tenants,
  site_id     integer REFERENCES sites,
  definition  jsonb NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (tenant_id, site_id)
);

-- Works: nothing of the site (NULL: of the tenant) is told meanwhile, everything is recorded.
CREATE TABLE maintenance_windows (
  window_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id integer NOT NULL REFERENCES tenants,
  site_id   integer REFERENCES sites,
  during    tstzrange NOT NULL CHECK (NOT isempty(during)),
  reason    text NOT NULL
);
CREATE INDEX maintenance_windows_tenant ON maintenance_windows (tenant_id);

-- "definition" is one of the models in alerting/rules/, "target" says of what (alerting/targets.py). A rule is
-- enabled after a backtest of the very version that is enabled, never otherwise.
CREATE TABLE rules (
  rule_id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id         integer NOT NULL REFERENCES tenants,
  name              text NOT NULL CHECK (name <> ''),
  kind              text NOT NULL,
  definition        jsonb NOT NULL,
  target            jsonb NOT NULL,
  severity          text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  version           integer NOT NULL DEFAULT 1,
  enabled           boolean NOT NULL DEFAULT false,
  backtest          jsonb,                       -- what it would have done: shown before it is enabled
  backtest_version  integer,
  created_at        timestamptz NOT NULL DEFAULT now(),
  updated_at        timestamptz NOT NULL DEFAULT now(),
  deleted_at        timestamptz,
  CHECK (NOT enabled OR backtest_version = version),
  CHECK (NOT enabled OR deleted_at IS NULL)
);
CREATE INDEX rules_tenant ON rules (tenant_id, rule_id);

-- Who ever enabled a rule: ingest tells of arrivals from then on.
CREATE TABLE watched_tenants (
  tenant_id integer PRIMARY KEY REFERENCES tenants
);

-- Which devices brought measurements, and since when those are: one row a transaction of ingest, taken by the
-- worker that evaluates them, in the transaction that writes what it found.
CREATE TABLE arrivals (
  arrival_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  arrived_at     timestamptz NOT NULL DEFAULT now(),
  device_ids     integer[] NOT NULL,
  measured_since timestamptz[] NOT NULL         -- of each device, its earliest measurement among these
);

-- One rule on one subject: a point, a gateway, or the group as a whole (both NULL).
CREATE TABLE rule_states (
  state_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rule_id       integer NOT NULL REFERENCES rules,
  rule_version  integer NOT NULL,
  tenant_id     integer NOT NULL REFERENCES tenants,
  site_id       integer REFERENCES sites,
  point_id      integer REFERENCES points,
  gateway_id    integer REFERENCES gateways,
  phase         text NOT NULL,                  -- as evaluated at evaluated_at
  phase_since   timestamptz NOT NULL,
  degree        smallint NOT NULL DEFAULT 0,    -- 1, or 2 for the second step of a rule in two steps
  value         double precision,
  reason        jsonb NOT NULL DEFAULT '{}',    -- figures that say why; alerting/reasons.py makes sentences
  machine       json NOT NULL,                  -- what the samples up to folded_to made of the rule
  folded_to     timestamptz NOT NULL,           -- the time of the last of them
  alert_id      uuid,                           -- the alert that is open
  evaluated_at  timestamptz NOT NULL,
  due_at        timestamptz NOT NULL,           -- when to look again though nothing came; year 9999: never
  on_arrival    boolean NOT NULL DEFAULT true,  -- false: measurements change nothing before due_at
  UNIQUE NULLS NOT DISTINCT (rule_id, point_id, gateway_id)
) WITH (fillfactor = 60);
CREATE INDEX rule_states_due ON rule_states (due_at);
CREATE INDEX rule_states_tenant ON rule_states (tenant_id, rule_id);

-- The series that a state is made of, in the order of the rule's inputs. A NULL quantity is "was heard at all".
CREATE TABLE rule_inputs (
  state_id    bigint NOT NULL REFERENCES rule_states ON DELETE CASCADE,
  position    smallint NOT NULL,
  point_id    integer REFERENCES points,
  gateway_id  integer REFERENCES gateways,
  quantity_id smallint,
  channel     smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (state_id, position),
  CHECK (num_nonnulls(point_id, gateway_id) = 1)
);
CREATE INDEX rule_inputs_point ON rule_inputs (point_id);

-- Where to begin again when a sample comes late: the machine as it was, once a day, for as long as lateness counts.
CREATE TABLE rule_checkpoints (
  state_id  bigint NOT NULL REFERENCES rule_states ON DELETE CASCADE,
  folded_to timestamptz NOT NULL,
  machine   json NOT NULL,
  PRIMARY KEY (state_id, folded_to)
);

-- Firings that have one cause.
CREATE TABLE incidents (
  incident_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id   integer REFERENCES tenants,       -- NULL: of the network, several tenants touched
  cause       text NOT NULL,
  gateway_id  integer REFERENCES gateways,
  opened_at   timestamptz NOT NULL,
  closed_at   timestamptz
);

-- One firing of one rule on one subject. alert_id is a digest of (rule, subject, first moment told): whoever
-- evaluates gets the same.
CREATE TABLE alerts (
  alert_id    uuid PRIMARY KEY,
  tenant_id   integer NOT NULL REFERENCES tenants,
  rule_id     integer NOT NULL REFERENCES rules,
  state_id    bigint NOT NULL,
  site_id     integer REFERENCES sites,
  point_id    integer REFERENCES points,
  gateway_id  integer REFERENCES gateways,
  severity    text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  degree      smallint NOT NULL,                -- the highest it reached
  phase       text NOT NULL,                    -- firing, keep-firing, flapping, nodata while open; resolved, withdrawn
  started_at  timestamptz NOT NULL,             -- by the time of the measurements
  ended_at    timestamptz,
  value       double precision,                 -- that fired it
  reason      jsonb NOT NULL,
  told        boolean NOT NULL,                 -- false: known afterwards, from late measurements or after an outage
  incident_id bigint REFERENCES incidents,
  recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alerts_open ON alerts (tenant_id, started_at) WHERE ended_at IS NULL;
CREATE INDEX alerts_tenant ON alerts (tenant_id, started_at);
CREATE INDEX alerts_state ON alerts (state_id, started_at);

-- Each change of phase, by the time of the measurements. Late measurements correct it: what did not happen after
-- all is superseded, not deleted.
CREATE TABLE transitions (
  transition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id     integer NOT NULL REFERENCES tenants,
  rule_id       integer NOT NULL REFERENCES rules,
  state_id      bigint NOT NULL,
  alert_id      uuid,
  at            timestamptz NOT NULL,
  from_phase    text NOT NULL,
  to_phase      text NOT NULL,
  degree        smallint NOT NULL,
  value         double precision,
  reason        jsonb NOT NULL,
  told          boolean NOT NULL,               -- it has a row in outbox
  recorded_at   timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz
);
CREATE INDEX transitions_state ON transitions (state_id, at);
CREATE INDEX transitions_tenant ON transitions (tenant_id, at);

-- What people are to be told, written with the transition. Whoever delivers claims rows with SKIP LOCKED.
CREATE TABLE outbox (
  outbox_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id     integer NOT NULL REFERENCES tenants,
  alert_id      uuid NOT NULL REFERENCES alerts,
  transition_id bigint NOT NULL REFERENCES transitions,
  kind          text NOT NULL CHECK (kind IN ('firing', 'raised', 'flapping', 'resolved', 'withdrawn')),
  message_id    uuid NOT NULL UNIQUE,           -- a digest of (alert, kind, moment): the same however often it is sent
  created_at    timestamptz NOT NULL DEFAULT now(),
  handled_at    timestamptz
);
CREATE INDEX outbox_open ON outbox (outbox_id) WHERE handled_at IS NULL;
