"""What one would write first: paho's callback, `json`, one INSERT of the frame's five rows, each its own transaction.

It keeps the five measurements alone: no uplink, no receptions, no latest value, no account. It does not notice a
redelivery of another kind than the same measurement, and paho acknowledges when the callback returns.
"""

import asyncio
import base64
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import asyncpg
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

CREATE: Final = """
CREATE TABLE naive (
  at timestamptz NOT NULL, device text NOT NULL, quantity text NOT NULL, value double precision NOT NULL,
  UNIQUE (device, quantity, at)
)
"""
INSERT: Final = """
INSERT INTO naive VALUES ($1, $2, 'temperature', $3), ($1, $2, 'humidity', $4), ($1, $2, 'illuminance', $5),
                         ($1, $2, 'co2', $6), ($1, $2, 'battery_voltage', $7)
ON CONFLICT DO NOTHING
"""


def decoded(frame: bytes) -> tuple[float, ...]:
    """Return the five values of the benchmark's frame."""
    word = int.from_bytes
    return word(frame[1:3], signed=True) / 10, frame[4], word(frame[6:8]), word(frame[9:11]), word(frame[12:14]) / 1000


def run(options: dict[str, Any], say: Callable[..., None]) -> None:
    """Drain `count` messages of a persistent session, and say how long it took from the first to the last."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(options["dsn"]))
    loop.run_until_complete(connection.execute(CREATE))
    times: list[float] = []

    def on_message(client: Client, _data: Any, message: MQTTMessage) -> None:
        event = json.loads(message.payload)
        values = decoded(base64.b64decode(event["data"]))
        at, device = datetime.fromisoformat(event["time"]), event["deviceInfo"]["devEui"]
        loop.run_until_complete(connection.execute(INSERT, at, device, *values))
        times.append(time.monotonic())
        if len(times) == options["count"]:
            client.disconnect()

    client = Client(CallbackAPIVersion.VERSION2, client_id=options["client_id"], clean_session=False)
    client.on_message = on_message
    say(ready=True)
    sys.stdin.readline()
    client.connect(options["host"], options["port"])
    client.loop_forever()
    say(seconds=times[-1] - times[0])
    sys.stdin.readline()  # the parent looks at what the connection's server process used
    loop.run_until_complete(connection.close())
