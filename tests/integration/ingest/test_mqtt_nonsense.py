"""A broker that is none: its connection is ended, and the next one is heard."""

import asyncio

import pytest
from ingest_broker import PROTOCOLS, Inbox, receiving, subscribed
from ingest_support import until
from structlog.testing import capture_logs

from ingest.settings import MqttSource

NONSENSE = {
    "a PUBLISH that is none": b"\x32\x03\x00\x01t",
    "a length that does not end": b"\x30\xff\xff\xff\xff\x01",
    "a packet type that is reserved": b"\x00\x00",
    "a CONNACK that is too short": b"\x20\x00",
    "a SUBACK that is too short": b"\x90\x01\x00",
    "a packet of a client": b"\x82\x08\x00\x01\x00\x03t/#\x01",
    "half a packet, and the end": b"\x32\x7f\x00\x01t\x00\x01",
    "an HTTP answer": b"HTTP/1.1 400 Bad Request\r\nServer: " + b"x" * 100 + b"\r\n\r\n",
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_ends_the_connection_and_the_next_one_is_heard(nonsense: bytes, protocol: str) -> None:
    properties = b"\0" if protocol == "5" else b""
    good = b"\x32" + bytes([6 + len(properties)]) + b"\x00\x01t\x00\x07" + properties
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read(1024)  # CONNECT
        writer.write(b"\x20" + bytes([2 + len(properties)]) + b"\0\0" + properties)
        identifier = (await reader.read(1024))[2:4]  # of SUBSCRIBE
        writer.write(b"\x90" + bytes([3 + len(properties)]) + identifier + properties + b"\x01")
        writer.write(good + b"1" + nonsense if connections == 1 else good + b"2")
        if connections == 1 and nonsense.startswith(b"\x32\x7f"):
            writer.close()
        while await reader.read(1024):
            pass
        writer.close()

    inbox = Inbox()

    async def second_came() -> bool:
        return b"2" in inbox.bodies

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with capture_logs() as logs:
            async with receiving(MqttSource(name="none", port=port, protocol=protocol), inbox, wait=False) as receiver:
                await until(second_came)
                await subscribed(receiver)
    assert inbox.bodies in ([b"1", b"2"], [b"2"])  # what came in one piece with nonsense is not acknowledged either
    assert connections == 2
    assert [entry["event"] for entry in logs].count("broker_lost") == 1
