"""A socket between paho-mqtt and the wire: PUBLISH packets are taken out on the way.

paho connects (TCP, TLS, CONNECT, MQTT 5 properties), subscribes and pings, and meets its socket as a `Tap`,
which gives it every packet but PUBLISH. Both sides write through the Tap's one buffer, so packets never
interleave.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.settings import MqttSource
from ingest.wire import PacketReader, Publish, WireError

CONNECT_TIMEOUT_S: Final = 10.0
_FAREWELL_S: Final = 1.0
_FAREWELL_READS: Final = 1000  # 64 MB: more than any broker has on its way
_MAX_UNSENT_BYTES: Final = 4 * 1024 * 1024  # acknowledgements that a broker does not read: it is gone


class Tap:
    """A socket as paho sees it, without the PUBLISH packets."""

    def __init__(self, wire: Any, reader: PacketReader) -> None:
        self.wire = wire
        self._reader = reader
        self._unsent = bytearray()
        self._ended = False

    # --- what paho calls ---

    def recv(self, size: int, /) -> bytes:
        """Return bytes of packets that are not PUBLISH; b"" once the broker has closed."""
        control = self._reader.control
        if control:
            taken = bytes(control[:size])
            del control[:size]
            return taken
        if self._ended:
            return b""
        raise BlockingIOError

    def send(self, data: bytes | bytearray, /) -> int:
        """Take all of it; `flush` sends it."""
        self._unsent += data
        return len(data)

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        number: int = self.wire.fileno()
        return number

    def setblocking(self, flag: bool, /) -> None:  # noqa: FBT001 - the socket's own signature
        """Pass on."""
        self.wire.setblocking(flag)

    def close(self) -> None:
        """End, and leave the wire open: the event loop still watches its descriptor, which nobody else may be given."""
        self._ended = True

    # --- what the session calls ---

    @property
    def has_control(self) -> bool:
        """Say whether paho has something to read."""
        return self._ended or bool(self._reader.control)

    @property
    def has_more(self) -> bool:
        """Say whether TLS holds decrypted bytes: the descriptor does not announce them."""
        return isinstance(self.wire, ssl.SSLSocket) and self.wire.pending() > 0

    def farewell(self) -> None:
        """Send what is left, and wait until the broker has closed; raise OSError when it does not.

        To close while bytes are unread would reset the connection, and the broker would forget the
        acknowledgements that it had not read. Blocks, for a moment as a rule.
        """
        self.wire.settimeout(_FAREWELL_S)
        self.wire.sendall(self._unsent)
        self.wire.shutdown(socket.SHUT_WR)
        for _ in range(_FAREWELL_READS):
            if not self.wire.recv_into(bytearray(65_536)):
                return

    def release(self) -> None:
        """Close the wire, once the loop watches it no more."""
        self.wire.close()

    def receive(self) -> list[Publish]:
        """Read once what the socket has, and return the PUBLISH packets; raise WireError or OSError."""
        try:
            count = self.wire.recv_into(self._reader.room())
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        if count == 0:
            self._ended = True
            return []
        return self._reader.received(count)

    def flush(self) -> bool:
        """Send what the socket takes; return whether something is left."""
        try:
            while self._unsent:
                del self._unsent[: self.wire.send(self._unsent)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        if len(self._unsent) > _MAX_UNSENT_BYTES:
            raise WireError("the broker reads no more")
        return bool(self._unsent)


class TappedClient(Client):
    """paho with a Tap between it and its socket, put where paho puts its own wrapper for websockets."""

    def __init__(self, make_tap: Callable[[Any], Tap], **options: Any) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, **options)
        self._make_tap = make_tap
        self.tap: Tap | None = None

    def _create_socket(self) -> Any:
        self.tap = self._make_tap(super()._create_socket())
        return self.tap

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """Shake hands as paho does, but leave no socket open when that fails."""
        assert self._ssl_context is not None
        wrapped = self._ssl_context.wrap_socket(tcp_sock, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            wrapped.settimeout(self._connect_timeout)
            wrapped.do_handshake()
        except OSError:
            wrapped.close()
            raise
        return wrapped


def client_of(source: MqttSource, make_tap: Callable[[Any], Tap], context: ssl.SSLContext | None) -> TappedClient:
    """Return a client of a persistent session, not connected yet."""
    options: dict[str, Any] = {"client_id": source.client_id, "reconnect_on_failure": False}
    if source.protocol == "5":
        client = TappedClient(make_tap, protocol=MQTTv5, **options)
    else:
        client = TappedClient(make_tap, protocol=MQTTv311, clean_session=False, **options)
    client.connect_timeout = CONNECT_TIMEOUT_S
    if source.username:
        client.username_pw_set(source.username, source.password.get_secret_value())
    if context is not None:
        client.tls_set_context(context)
    return client


def connect_options(source: MqttSource, max_unacknowledged: int) -> dict[str, Any]:
    """Return what MQTT 5 adds to CONNECT."""
    if source.protocol != "5":
        return {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = source.session_expiry_s
    properties.ReceiveMaximum = min(max_unacknowledged, 65_535)
    return {"clean_start": False, "properties": properties}
