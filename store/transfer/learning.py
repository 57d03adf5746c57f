"""Words that files bring for the first time, and the numbers that they have here from then on: see `words`."""

from collections.abc import Iterable
from typing import Final

import asyncpg

from store.transfer.columns import Field

# Numbers that are drawn where an export arrives: the table and its column.
DRAWN: Final = {
    "site": ("sites", "site_id"),
    "point": ("points", "point_id"),
    "device": ("devices", "device_id"),
    "codec": ("codecs", "codec_id"),
    "rule": ("rules", "rule_id"),
    "state": ("rule_states", "state_id"),
    "incident": ("incidents", "incident_id"),
    "transition": ("transitions", "transition_id"),
    "contact": ("contacts", "contact_id"),
    "dataset": ("open_datasets", "dataset_id"),
}

# What both databases may have already, by its name: made where it is missing.
SHARED: Final = {
    "gateway": ("gateways", "gateway_id", "gateway_eui"),
    "source": ("sources", "source_id", "name"),
}

DRAW_NUMBERS: Final = """
INSERT INTO word_{kind} (id, word)
SELECT nextval(pg_get_serial_sequence('{table}', '{column}')), word
  FROM (SELECT {field} AS word, min(line) AS line FROM staged_{name} WHERE {field} IS NOT NULL GROUP BY {field}) AS met
 WHERE NOT EXISTS (SELECT FROM word_{kind} AS known WHERE known.word = met.word)
 ORDER BY line
"""

MAKE_SHARED: Final = """
INSERT INTO {table} ({word})
SELECT DISTINCT {field} FROM staged_{name} WHERE {field} IS NOT NULL
ON CONFLICT DO NOTHING
"""

KNOW_SHARED: Final = """
INSERT INTO word_{kind} (id, word)
SELECT {column}, {word} FROM {table} WHERE NOT EXISTS (SELECT FROM word_{kind} AS known WHERE known.word = {word})
"""


async def learn(connection: asyncpg.Connection, name: str, made: Iterable[Field]) -> None:
    """Give numbers to the words that a relation's file, which is staged, brings."""
    for one in made:
        if one.kind in DRAWN:
            table, column = DRAWN[one.kind]
            await connection.execute(
                DRAW_NUMBERS.format(kind=one.kind, table=table, column=column, field=one.name, name=name)
            )
        elif one.kind in SHARED:
            table, column, word = SHARED[one.kind]
            await connection.execute(MAKE_SHARED.format(table=table, word=word, field=one.name, name=name))
            await connection.execute(KNOW_SHARED.format(kind=one.kind, table=table, column=column, word=word))


KNOW_QUANTITIES: Final = """
INSERT INTO word_quantity (id, word)
SELECT quantity_id, name FROM quantities WHERE NOT EXISTS (SELECT FROM word_quantity AS known WHERE known.word = name)
"""


async def learn_quantities(connection: asyncpg.Connection) -> None:
    """Know the quantities that were just inserted."""
    await connection.execute(KNOW_QUANTITIES)


# A decoder is a model's or a codec's at one version: both may be here already.
INSERT_DECODERS: Final = """
INSERT INTO decoders (model_id, version, codec_id)
SELECT model_id, version, codec.id
  FROM staged_decoders AS staged
  LEFT JOIN word_codec AS codec ON codec.word = staged.codec
ON CONFLICT DO NOTHING
"""

KNOW_DECODERS: Final = """
INSERT INTO word_decoder (id, word)
SELECT known.decoder_id, staged.decoder
  FROM staged_decoders AS staged
  LEFT JOIN word_codec AS codec ON codec.word = staged.codec
  JOIN decoders AS known ON known.version = staged.version
                        AND (known.model_id = staged.model_id OR known.codec_id = codec.id)
ON CONFLICT (word) DO UPDATE SET id = excluded.id
"""


async def learn_decoders(connection: asyncpg.Connection) -> int:
    """Make the decoders that are staged, and know them; return how many this database did not have."""
    new = count_of(await connection.execute(INSERT_DECODERS))
    await connection.execute(KNOW_DECODERS)
    return new


def count_of(status: str) -> int:
    """Return the rows of a command's status, "INSERT 0 12" say."""
    return int(status.rsplit(maxsplit=1)[-1])
