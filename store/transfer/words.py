"""Numbers and words: what a number of this database is called in an export, and which number a word has here.

`word_<kind> (id, word)` are temporary tables of the transaction. What has a name everywhere goes by it (DevEUI, a
quantity's name); what has none by its place among the tenant's own, in the order of the numbers.
"""

from typing import Final

import asyncpg

# What follows SELECT id, word FROM … for what the tenant $1 has. In this order: each may use those before.
_NUMBERED: Final = "SELECT {id} AS id, row_number() OVER (ORDER BY {id})::text AS word FROM {table} {rows}"
_OF_TENANT: Final = "WHERE tenant_id = $1"

WORDS: Final = {
    "site": _NUMBERED.format(id="site_id", table="sites", rows=_OF_TENANT),
    "point": _NUMBERED.format(id="point_id", table="points", rows="WHERE site_id IN (SELECT id FROM word_site)"),
    "device": "SELECT device_id AS id, dev_eui AS word FROM devices"
    " WHERE device_id IN (SELECT device_id FROM ownerships WHERE tenant_id = $1)",
    "gateway": "SELECT gateway_id AS id, gateway_eui AS word FROM gateways",
    "source": "SELECT source_id::integer AS id, name AS word FROM sources",
    "codec": _NUMBERED.format(id="codec_id", table="codecs", rows=_OF_TENANT),
    "rule": _NUMBERED.format(id="rule_id", table="rules", rows=_OF_TENANT),
    "state": _NUMBERED.format(
        id="state_id",
        table="(SELECT state_id FROM rule_states WHERE tenant_id = $1 UNION SELECT state_id FROM alerts WHERE"
        " tenant_id = $1 UNION SELECT state_id FROM transitions WHERE tenant_id = $1) AS every",
        rows="",
    ),
    "incident": _NUMBERED.format(id="incident_id", table="incidents", rows=_OF_TENANT),
    "transition": _NUMBERED.format(id="transition_id", table="transitions", rows=_OF_TENANT),
    "contact": _NUMBERED.format(id="contact_id", table="contacts", rows=_OF_TENANT),
    "dataset": _NUMBERED.format(id="dataset_id", table="open_datasets", rows=_OF_TENANT),
    "quantity": "SELECT quantity_id::integer AS id, name AS word FROM quantities WHERE quantity_id IN"
    " (SELECT quantity_id FROM measurements JOIN word_device ON id = device_id"
    " UNION SELECT quantity_id FROM measurements_hourly JOIN word_device ON id = device_id"
    " UNION SELECT quantity_id FROM measurements_daily JOIN word_device ON id = device_id"
    " UNION SELECT unnest(quantity_ids) FROM latest_frames JOIN word_device ON id = device_id"
    " UNION SELECT quantity_id FROM rule_inputs JOIN word_state ON id = state_id)",
    # A codec of a tenant above is not this tenant's to take along: its uplinks keep their outcome, and no decoder.
    "decoder": 'SELECT decoder_id AS id, row_number() OVER (ORDER BY model_id COLLATE "C", word_codec.word::integer,'
    ' version COLLATE "C")::text AS word FROM decoders LEFT JOIN word_codec ON word_codec.id = codec_id'
    " WHERE (model_id IS NOT NULL OR word_codec.id IS NOT NULL) AND decoder_id IN"
    " (SELECT decoder_id FROM uplinks JOIN word_device ON word_device.id = device_id)",
}  # fmt: skip

# Rules say of what they speak by numbers, inside a document; `way` is "out" or "in".
CREATE_RENUMBERED: Final = """
CREATE OR REPLACE FUNCTION pg_temp.renumbered(document jsonb, way text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  kind  text;
  found jsonb;
BEGIN
  IF jsonb_typeof(document) = 'array' THEN
    RETURN (SELECT coalesce(jsonb_agg(pg_temp.renumbered(item, way) ORDER BY place), '[]')
              FROM jsonb_array_elements(document) WITH ORDINALITY AS items (item, place));
  ELSIF jsonb_typeof(document) <> 'object' THEN
    RETURN document;
  END IF;
  FOR kind IN SELECT * FROM jsonb_object_keys(document) LOOP
    IF kind ~ '^(outdoor_)?(site|point|gateway)_id$' AND jsonb_typeof(document -> kind) <> 'null' THEN
      EXECUTE format(CASE way WHEN 'out' THEN 'SELECT to_jsonb(word) FROM pg_temp.word_%I WHERE id = $1::bigint'
                              ELSE 'SELECT to_jsonb(id) FROM pg_temp.word_%I WHERE word = $1' END,
                     substring(kind FROM '(site|point|gateway)_id$'))
         INTO found USING document ->> kind;
    ELSE
      found := pg_temp.renumbered(document -> kind, way);
    END IF;
    document := jsonb_set(document, ARRAY[kind], coalesce(found, 'null'));
  END LOOP;
  RETURN document;
END $$
"""

DROP_WORDS: Final = """
DROP TABLE IF EXISTS pg_temp.word_{kind}
"""

CREATE_WORDS: Final = """
CREATE TEMP TABLE word_{kind} ON COMMIT DROP AS {rows}
"""

CREATE_WORDS_KEY: Final = """
CREATE UNIQUE INDEX ON word_{kind} (word)
"""


# What frames were understood by is found by reading all of them: where that is not asked, any of these may be met.
_ANY: Final = {
    "quantity": "SELECT quantity_id::integer AS id, name AS word FROM quantities",
    "decoder": "SELECT decoder_id AS id, version AS word FROM decoders WHERE false",
}


async def know_words(connection: asyncpg.Connection, tenant_id: int, *, of_frames: bool) -> None:
    """Make the tables of words of what the tenant has now. In a transaction, whose end drops them.

    `of_frames`: of quantities and decoders those alone that the tenant's frames have, which takes reading them all.
    """
    for kind, rows in (WORDS if of_frames else WORDS | _ANY).items():
        await connection.execute(DROP_WORDS.format(kind=kind))
        statement = CREATE_WORDS.format(kind=kind, rows=rows.replace("$1", str(int(tenant_id))))
        await connection.execute(statement)  # CREATE TABLE AS takes no parameters
        await connection.execute(CREATE_WORDS_KEY.format(kind=kind))
    await connection.execute(CREATE_RENUMBERED)
