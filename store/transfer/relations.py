"""What belongs to a tenant, relation by relation: which rows, and in which order they leave.

A row leaves in words: a device is its DevEUI, a quantity its name, a site its number in this export. So an export
means the same in any database, and exporting what was imported gives the same files (`store.transfer.words`).
`tests/unit/store/test_transfer_relations.py` fails for a table that is neither here nor in LEFT_OUT.
"""

from typing import Final, NamedTuple

TERRITORY: Final = "territory"  # what there is, and who has it
TELEMETRY: Final = "telemetry"  # what the sensors said: grows while it is copied
DERIVED: Final = "derived"  # can be made again of telemetry, as far back as that is kept
ALERTING: Final = "alerting"  # what is watched, what was found, who was told
DEALINGS: Final = "dealings"  # what was chosen, published, billed
RECORD: Final = "record"  # to be read; it is of the installation, and does not enter another


class Relation(NamedTuple):
    """One relation, called `one` in `rows`, and the file of its name.

    `rows` follows FROM …; `$1` is the tenant's number. `order` makes two exports of the same rows the same file.
    `time` is by what rows that came lately are told, '' where all are looked at.
    `columns` None: all that the relation has; `omitted` are made anew where they arrive.
    """

    name: str
    group: str
    rows: str
    order: str
    time: str = ""
    columns: tuple[str, ...] | None = None
    omitted: tuple[str, ...] = ()


_OF_TENANT: Final = "WHERE one.tenant_id = $1"


def _known(kind: str) -> str:
    """Return the rows whose `kind` has a word: those of the tenant, as sites and rules are."""
    return f"WHERE one.{kind}_id IN (SELECT id FROM word_{kind})"  # noqa: S608 - names of this module


def _told(time: str) -> str:
    """Return what devices said while they were the tenant's."""
    return (
        f"JOIN ownerships AS held ON held.device_id = one.device_id AND one.{time} >= held.since"
        f" AND one.{time} < held.until WHERE held.tenant_id = $1"
    )


_DEVICE: Final = 'device.word COLLATE "C"'
_SERIES: Final = f'{_DEVICE}, quantity.word COLLATE "C", one.channel'

RELATIONS: Final = (
    Relation("sites", TERRITORY, _OF_TENANT, "one.site_id"),
    Relation("points", TERRITORY, _known("site"), "one.point_id"),
    Relation("point_tags", TERRITORY, _known("point"), 'one.point_id, one.tag COLLATE "C"'),
    Relation(
        "models",
        TERRITORY,
        "WHERE one.model_id IN (SELECT model_id FROM devices JOIN word_device ON id = device_id"
        " UNION SELECT model_id FROM decoders JOIN word_decoder ON id = decoder_id"
        " UNION SELECT model_id FROM codec_bindings WHERE tenant_id = $1)",
        'one.model_id COLLATE "C"',
    ),
    Relation("devices", TERRITORY, _known("device"), _DEVICE, omitted=("dev_eui",)),  # it is the word of device_id
    Relation("ownerships", TERRITORY, _OF_TENANT, f"{_DEVICE}, one.since"),
    Relation(
        "assignments",
        TERRITORY,
        f"{_known('point')} AND one.device_id IN (SELECT id FROM word_device)",  # noqa: S608 - names of this module
        f"one.point_id, one.during, {_DEVICE}",
    ),
    Relation("codecs", TERRITORY, _OF_TENANT, "one.codec_id"),
    Relation("codec_bindings", TERRITORY, _OF_TENANT, f'one.codec COLLATE "C", {_DEVICE}, one.model_id COLLATE "C"'),
    Relation("quantities", TERRITORY, _known("quantity"), 'one.name COLLATE "C"'),
    Relation("decoders", TERRITORY, _known("decoder"), "decoder.word::integer"),
    Relation("uplinks", TELEMETRY, _told("received_at"), f"{_DEVICE}, one.received_at, one.uplink_key", "received_at"),
    Relation(
        "receptions",
        TELEMETRY,
        _told("received_at"),
        f'{_DEVICE}, one.received_at, one.uplink_key, gateway.word COLLATE "C"',
        "received_at",
    ),
    Relation("measurements", TELEMETRY, _told("measured_at"), f"{_SERIES}, one.measured_at", "received_at"),
    Relation(
        "network_events", TELEMETRY, _told("received_at"), f"{_DEVICE}, one.received_at, one.event_key", "received_at"
    ),
    Relation("quarantine", TELEMETRY, _OF_TENANT, "one.first_at, one.digest", "last_at"),
    Relation("changed_hours", TELEMETRY, _known("device"), f"{_DEVICE}, one.hour"),
    Relation(
        "latest_frames",
        TELEMETRY,
        f"{_told('received_at')} AND one.measured_at >= held.since AND one.measured_at < held.until",
        f"{_DEVICE}, one.measured_at, one.received_at, quantities",
        omitted=("layout",),
    ),
    Relation(
        "ingest_accounts",
        TELEMETRY,
        _OF_TENANT,
        'one.day, source.word COLLATE "C", one.kind COLLATE "C", one.outcome COLLATE "C", one.worker COLLATE "C"',
    ),
    Relation("measurements_hourly", DERIVED, _told("hour"), f"{_SERIES}, one.hour"),
    Relation("measurements_daily", DERIVED, _told("day"), f"{_SERIES}, one.day"),
    Relation(
        "radio_accounts",
        DERIVED,
        "JOIN ownerships AS held ON held.device_id = one.device_id"
        " AND one.day >= (held.since AT TIME ZONE 'UTC')::date AND one.day < (held.until AT TIME ZONE 'UTC')::date"
        " WHERE held.tenant_id = $1",
        f"{_DEVICE}, one.day",
    ),
    Relation("calendars", ALERTING, _OF_TENANT, "one.calendar_id"),
    Relation("maintenance_windows", ALERTING, _OF_TENANT, "one.window_id"),
    Relation("rules", ALERTING, _OF_TENANT, "one.rule_id"),
    Relation("rule_states", ALERTING, _OF_TENANT, "one.state_id"),
    Relation("rule_inputs", ALERTING, _known("state"), "one.state_id, one.position"),
    Relation("rule_checkpoints", ALERTING, _known("state"), "one.state_id, one.folded_to"),
    Relation("incidents", ALERTING, _OF_TENANT, "one.incident_id"),
    Relation("incident_events", ALERTING, _known("incident"), "one.event_id"),
    Relation("alerts", ALERTING, _OF_TENANT, "one.started_at, one.alert_id"),
    Relation("transitions", ALERTING, _OF_TENANT, "one.transition_id"),
    Relation("outbox", ALERTING, _OF_TENANT, "one.outbox_id"),
    Relation(
        "held_alerts",
        ALERTING,
        "WHERE one.alert_id IN (SELECT alert_id FROM alerts WHERE tenant_id = $1)",
        "one.held_at, one.alert_id",
    ),
    Relation("contacts", ALERTING, _OF_TENANT, "one.contact_id"),
    Relation("on_call_shifts", ALERTING, _known("contact"), "one.shift_id"),
    Relation("escalation_steps", ALERTING, _OF_TENANT, "one.after_s, one.contact_id"),
    Relation("silences", ALERTING, _OF_TENANT, "one.silence_id"),
    Relation("deliveries", ALERTING, _OF_TENANT, "one.delivery_id", omitted=("message_id",)),
    Relation("buildings", DEALINGS, _OF_TENANT, "one.site_id"),
    Relation("prices", DEALINGS, _OF_TENANT, 'one.quantity COLLATE "C", one.since'),
    Relation("populations", DEALINGS, _OF_TENANT, "one.tenant_id"),
    Relation("comparison_consents", DEALINGS, _OF_TENANT, "one.tenant_id", omitted=("account_id",)),
    Relation("water_networks", DEALINGS, _OF_TENANT, "one.year"),
    Relation("weather_points", DEALINGS, _OF_TENANT, "one.point_id"),
    Relation("report_recipients", DEALINGS, _OF_TENANT, 'one.email COLLATE "C"'),
    Relation("report_mails", DEALINGS, _OF_TENANT, 'one.month, one.email COLLATE "C"'),
    Relation("installations", DEALINGS, _OF_TENANT, "one.installation_id", omitted=("account_id",)),
    Relation("photos", DEALINGS, _OF_TENANT, f"{_DEVICE}, one.taken_at"),
    Relation("processings", DEALINGS, _OF_TENANT, 'one.data_class COLLATE "C"'),
    Relation("open_datasets", DEALINGS, _OF_TENANT, "one.dataset_id"),
    Relation(
        "open_rows",
        DEALINGS,
        _known("dataset"),
        'one.dataset_id, one.start, one.site_id, one.point_id, one.quantity COLLATE "C", one.channel',
    ),
    Relation("usage", DEALINGS, _OF_TENANT, "one.month"),
    Relation(
        "exports_sent",
        DEALINGS,
        _OF_TENANT,
        'one.sent_at, one.form COLLATE "C", one.measurements',
        omitted=("account_id",),
    ),
    Relation(
        "audit",
        RECORD,
        _OF_TENANT,
        "one.entry_id",
        columns=("at", "actor", "action", "object", "detail"),
    ),
    Relation(
        "grants",
        RECORD,
        "JOIN accounts AS account USING (account_id) WHERE one.tenant_id = $1",
        "one.grant_id",
        columns=("email", "name", "role", "with_descendants", "granted_at"),
    ),
)

LEFT_OUT: Final = {
    "tenants": "one row: it stands in the manifest",
    "accounts": "people, who may have to do with other tenants: grants.csv says who had access",
    "api_keys": "secrets of this installation",
    "arrivals": "what evaluation has not looked at yet: it looks again where the tenant arrives",
    "changed_days": "derived",
    "coverage_plans": "the network's",
    "database_readers": "roles of this database",
    "device_health": "derived",
    "device_keys": "network keys: the network server has them; here they are sealed, and for this installation alone",
    "downlinks": "what was wanted of the network server of this installation",
    "downlinks_told": "what this installation has not looked at yet",
    "elsewhere": "the neighbours'",
    "fleet_counts": "derived",
    "fleet_days": "derived",
    "frames_daily": "derived",
    "gateway_days": "the network's",
    "gateway_frequencies": "the network's",
    "gateway_hours": "the network's",
    "gateway_tenants": "derived",
    "gateways": "the network's; files name them by their EUI",
    "gateways_heard": "the network's",
    "heard_daily": "derived",
    "idempotency_keys": "a day's answers",
    "identities": "secrets of this installation",
    "ignored_devices": "the supervisors'",
    "ingest_rounds": "the network's",
    "import_columns": "how this installation's people call their columns",
    "import_files": "work of a few weeks: what was taken is there",
    "import_keys": "secrets of this installation",
    "import_rows": "work of a few weeks: what was taken is there",
    "ingest_workers": "the network's",
    "links": "secrets of this installation",
    "loans": "between tenants of this installation: what was lent goes as what was had, and when",
    "network_devices": "what a network server has: read again where the tenant arrives",
    "network_orders": "what was wanted of the network server of this installation",
    "network_profiles": "of the network server of this installation",
    "network_secrets": "secrets of this installation",
    "network_servers": "how this installation reaches a network server: it is told anew where the tenant arrives",
    "oidc_attempts": "secrets of this installation",
    "passwords": "secrets of this installation",
    "placements": "of this installation",
    "redecoded_devices": "work of this installation",
    "redecodings": "work of this installation",
    "retention": "of this installation",
    "role_permissions": "part of the program",
    "schema_migrations": "of this installation",
    "second_factors": "secrets of this installation",
    "sessions": "secrets of this installation",
    "silent_devices": "derived",
    "sources": "the network's; files name them",
    "supervision_events": "the supervisors'",
    "tenant_tree": "follows from tenants",
    "tenant_middles": "derived",
    "watched_tenants": "follows from rules",
}
