-- From alerts to people: who is told, of which incident, when, and what became of it. docs/alerting.md.

-- Somebody who is told, one row a way of reaching them. "target" is a model of alerting/channels/, "preferences" is
-- alerting/delivery/preferences.py.
CREATE TABLE contacts (
  contact_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id    integer NOT NULL REFERENCES tenants,
  name         text NOT NULL CHECK (name <> ''),
  language     text NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'en')),
  channel      text NOT NULL,
  target       jsonb NOT NULL,
  min_severity text NOT NULL DEFAULT 'warning' CHECK (min_severity IN ('info', 'warning', 'critical')),
  on_call_only boolean NOT NULL DEFAULT false,   -- told during their shifts, or when a step of escalation names them
  preferences  jsonb NOT NULL DEFAULT '{}',
  enabled      boolean NOT NULL DEFAULT true,
  created_at   timestamptz NOT NULL DEFAULT now(),
  deleted_at   timestamptz
);
CREATE INDEX contacts_tenant ON contacts (tenant_id) WHERE deleted_at IS NULL;

-- Who is on call, and when. Shifts may overlap: all of them are.
CREATE TABLE on_call_shifts (
  shift_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  contact_id integer NOT NULL REFERENCES contacts,
  during     tstzrange NOT NULL CHECK (NOT isempty(during))
);
CREATE INDEX on_call_shifts_contact ON on_call_shifts (contact_id);

-- Whom to tell when nobody has acknowledged after so long. A NULL contact is whoever is on call by then.
CREATE TABLE escalation_steps (
  tenant_id  integer NOT NULL REFERENCES tenants,
  after_s    integer NOT NULL CHECK (after_s > 0),
  contact_id integer REFERENCES contacts,
  UNIQUE NULLS NOT DISTINCT (tenant_id, after_s, contact_id)
);

-- Told nothing of these until then; everything is recorded all the same. All NULL: the whole tenant.
CREATE TABLE silences (
  silence_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id  integer NOT NULL REFERENCES tenants,
  rule_id    integer REFERENCES rules,
  site_id    integer REFERENCES sites,
  point_id   integer REFERENCES points,
  during     tstzrange NOT NULL CHECK (NOT isempty(during) AND NOT upper_inf(during)),
  reason     text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX silences_tenant ON silences (tenant_id);

-- "cause" is what its alerts have in common: alerting/delivery/routing.py.
ALTER TABLE incidents
  ADD COLUMN site_id         integer REFERENCES sites,
  ADD COLUMN severity        text NOT NULL DEFAULT 'info' CHECK (severity IN ('info', 'warning', 'critical')),
  ADD COLUMN revision        integer NOT NULL DEFAULT 0,  -- grows with each thing to tell
  ADD COLUMN told_revision   integer NOT NULL DEFAULT 0,
  ADD COLUMN told_severity   text,
  ADD COLUMN told_at         timestamptz,                 -- the last time
  ADD COLUMN notify_at       timestamptz,                 -- when what is not told yet will be
  ADD COLUMN acknowledged_at timestamptz,
  ADD COLUMN acknowledged_by text,
  ADD COLUMN assigned_to     text;
CREATE UNIQUE INDEX incidents_open ON incidents (tenant_id, cause) NULLS NOT DISTINCT WHERE closed_at IS NULL;
CREATE INDEX incidents_due ON incidents (notify_at) WHERE notify_at IS NOT NULL;
CREATE INDEX incidents_tenant ON incidents (tenant_id, opened_at);
CREATE INDEX alerts_incident ON alerts (incident_id) WHERE incident_id IS NOT NULL;

-- What happened to an incident, in order: opened, joined, held, told, acknowledged, assigned, commented, closed, …
CREATE TABLE incident_events (
  event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  incident_id bigint NOT NULL REFERENCES incidents,
  at          timestamptz NOT NULL,
  kind        text NOT NULL,
  who         text NOT NULL DEFAULT '',
  note        text NOT NULL DEFAULT ''
);
CREATE INDEX incident_events_incident ON incident_events (incident_id, event_id);

-- Alerts of which nothing is told for now: an antenna's outage, a silence or works explain them. They are told once
-- at release_at if they still are (NULL: when the outage has ended, its end sets it).
CREATE TABLE held_alerts (
  alert_id    uuid PRIMARY KEY REFERENCES alerts,
  incident_id bigint REFERENCES incidents,       -- the outage; NULL for a silence or works
  why         text NOT NULL CHECK (why IN ('outage', 'silence', 'works')),
  held_at     timestamptz NOT NULL,
  release_at  timestamptz,
  released_at timestamptz,
  outcome     text CHECK (outcome IN ('told', 'ended'))
);
CREATE INDEX held_alerts_due ON held_alerts (release_at) WHERE released_at IS NULL;
CREATE INDEX held_alerts_incident ON held_alerts (incident_id) WHERE released_at IS NULL;

-- One message to one contact. It is a timer as well: a reminder or a step of escalation waits here for its hour.
CREATE TABLE deliveries (
  delivery_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message_id    text NOT NULL UNIQUE,            -- of what is told to whom: the same however often it is sent
  tenant_id     integer NOT NULL REFERENCES tenants,
  incident_id   bigint REFERENCES incidents,     -- NULL: a test, a digest
  contact_id    integer REFERENCES contacts,     -- NULL: whoever is on call when it is due
  kind          text NOT NULL CHECK (kind IN ('opened', 'updated', 'reminder', 'escalated', 'resolved', 'digest', 'test')),
  severity      text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dropped', 'digested', 'dead')),
  grouped       boolean NOT NULL DEFAULT false,  -- it goes into one digest with the contact's others
  due_at        timestamptz NOT NULL,
  claimed_until timestamptz NOT NULL DEFAULT '-infinity',
  attempts      integer NOT NULL DEFAULT 0,
  notice        jsonb,                           -- what is said, as of the first attempt
  error         text NOT NULL DEFAULT '',
  segments      integer NOT NULL DEFAULT 0,      -- of an SMS: what it is billed as
  created_at    timestamptz NOT NULL,
  ended_at      timestamptz                      -- sent, dropped, digested or dead since
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_incident ON deliveries (incident_id);
CREATE INDEX deliveries_contact ON deliveries (contact_id, ended_at);
CREATE INDEX deliveries_tenant ON deliveries (tenant_id, created_at);
