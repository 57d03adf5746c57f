"""Frames of LoRaWAN 1.0.x with their keys, integrity codes and encryption.

Source: LoRaWAN 1.0.4 Specification (TS001-1.0.4): 4 MAC frame formats, 6.2 over-the-air activation. All numbers of a
frame are little-endian; identifiers here are given as they are read (most significant byte first).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from domain.errors import SamaraError

JOIN_REQUEST: Final = 0x00
JOIN_ACCEPT: Final = 0x20
UNCONFIRMED_UP: Final = 0x40
UNCONFIRMED_DOWN: Final = 0x60
CONFIRMED_UP: Final = 0x80
CONFIRMED_DOWN: Final = 0xA0

_BLOCK: Final = 16
_UP: Final = 0
_DOWN: Final = 1
_HEADER_BYTES: Final = 8  # MHDR, DevAddr, FCtrl, FCnt
_MIC_BYTES: Final = 4


class FrameError(SamaraError):
    """The bytes are not a frame, or its integrity code is not the one of these keys."""


class SessionKeys(NamedTuple):
    """The two keys of a LoRaWAN 1.0.x session, 16 bytes each."""

    network: bytes
    application: bytes


class FrameControl(NamedTuple):
    """FCtrl of an uplink or of a downlink (`pending` is then FPending, ClassB in an uplink)."""

    adr: bool = False
    adr_ack_req: bool = False
    ack: bool = False
    pending: bool = False

    def byte(self, options: int) -> int:
        """Return FCtrl with that many bytes of FOpts."""
        return self.adr << 7 | self.adr_ack_req << 6 | self.ack << 5 | self.pending << 4 | options


class DataFrame(NamedTuple):
    """A data frame. `f_cnt` has 32 bits here, 16 on the air; `f_port` None means no FRMPayload."""

    dev_addr: int
    f_cnt: int
    f_port: int | None = None
    payload: bytes = b""
    f_opts: bytes = b""
    control: FrameControl = FrameControl()
    confirmed: bool = False
    downlink: bool = False

    @property
    def message_header(self) -> int:
        """MHDR: the message type, major version 0 (LoRaWAN R1)."""
        if self.downlink:
            return CONFIRMED_DOWN if self.confirmed else UNCONFIRMED_DOWN
        return CONFIRMED_UP if self.confirmed else UNCONFIRMED_UP


class JoinAccept(NamedTuple):
    """What a network grants. `channels_hz` are up to five frequencies beyond the default ones (CFList type 0)."""

    join_nonce: int
    net_id: int
    dev_addr: int
    rx1_dr_offset: int = 0
    rx2_data_rate: int = 0
    rx_delay_s: int = 1
    channels_hz: Sequence[int] = ()


def _aes(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - the specification's own construction


def _encrypt(key: bytes, blocks: bytes) -> bytes:
    encryptor = _aes(key).encryptor()
    return encryptor.update(blocks) + encryptor.finalize()


def _decrypt(key: bytes, blocks: bytes) -> bytes:
    decryptor = _aes(key).decryptor()
    return decryptor.update(blocks) + decryptor.finalize()


def _cmac(key: bytes, message: bytes) -> bytes:
    """Return the first four bytes of AES-CMAC (RFC 4493)."""
    code = CMAC(algorithms.AES(key))
    code.update(message)
    return code.finalize()[:_MIC_BYTES]


def join_request(app_key: bytes, *, join_eui: bytes, dev_eui: bytes, dev_nonce: int) -> bytes:
    """Return a Join-request, 23 bytes; `join_eui` and `dev_eui` have 8."""
    body = bytes((JOIN_REQUEST,)) + join_eui[::-1] + dev_eui[::-1] + dev_nonce.to_bytes(2, "little")
    return body + _cmac(app_key, body)


def join_accept(app_key: bytes, granted: JoinAccept) -> bytes:
    """Return a Join-accept, 17 or 33 bytes: AES decryption makes it, so that a device needs encryption alone."""
    body = (
        granted.join_nonce.to_bytes(3, "little")
        + granted.net_id.to_bytes(3, "little")
        + granted.dev_addr.to_bytes(4, "little")
        + bytes((granted.rx1_dr_offset << 4 | granted.rx2_data_rate, granted.rx_delay_s))
    )
    if granted.channels_hz:
        listed = [*granted.channels_hz, 0, 0, 0, 0, 0][:5]
        body += b"".join((hz // 100).to_bytes(3, "little") for hz in listed) + b"\0"
    header = bytes((JOIN_ACCEPT,))
    return header + _decrypt(app_key, body + _cmac(app_key, header + body))


def read_join_accept(app_key: bytes, frame: bytes) -> JoinAccept:
    """Return what a Join-accept grants; raise FrameError if it is not one, or not of this key."""
    if len(frame) not in {17, 33} or frame[0] != JOIN_ACCEPT:
        raise FrameError(f"{len(frame)} bytes are no Join-accept")
    clear = _encrypt(app_key, frame[1:])
    body, mic = clear[:-_MIC_BYTES], clear[-_MIC_BYTES:]
    if _cmac(app_key, frame[:1] + body) != mic:
        raise FrameError("the MIC of the Join-accept is not of this key")
    channels = tuple(
        int.from_bytes(body[at : at + 3], "little") * 100 for at in range(12, len(body) - 1, 3) if len(body) > 12
    )
    return JoinAccept(
        join_nonce=int.from_bytes(body[0:3], "little"),
        net_id=int.from_bytes(body[3:6], "little"),
        dev_addr=int.from_bytes(body[6:10], "little"),
        rx1_dr_offset=body[10] >> 4 & 7,
        rx2_data_rate=body[10] & 15,
        rx_delay_s=body[11],
        channels_hz=tuple(hz for hz in channels if hz),
    )


def session_keys(app_key: bytes, *, join_nonce: int, net_id: int, dev_nonce: int) -> SessionKeys:
    """Return the keys that both ends derive from a join (6.2.5)."""
    nonces = join_nonce.to_bytes(3, "little") + net_id.to_bytes(3, "little") + dev_nonce.to_bytes(2, "little")
    network, application = (_encrypt(app_key, bytes((kind,)) + nonces + bytes(7)) for kind in (1, 2))
    return SessionKeys(network, application)


def crypt(key: bytes, payload: bytes, *, dev_addr: int, f_cnt: int, downlink: bool) -> bytes:
    """Return FRMPayload encrypted, or decrypted: the same exclusive or with a key stream (4.3.3)."""
    direction = _DOWN if downlink else _UP
    head = bytes((1, 0, 0, 0, 0, direction)) + dev_addr.to_bytes(4, "little") + f_cnt.to_bytes(4, "little") + b"\0"
    count = -(-len(payload) // _BLOCK)
    stream = _encrypt(key, b"".join(head + bytes((number,)) for number in range(1, count + 1)))
    return bytes(one ^ other for one, other in zip(payload, stream, strict=False))


def _mic(key: bytes, body: bytes, *, dev_addr: int, f_cnt: int, downlink: bool) -> bytes:
    """Return the MIC of a data frame (4.4)."""
    direction = _DOWN if downlink else _UP
    b0 = (
        bytes((0x49, 0, 0, 0, 0, direction))
        + dev_addr.to_bytes(4, "little")
        + f_cnt.to_bytes(4, "little")
        + bytes((0, len(body)))
    )
    return _cmac(key, b0 + body)


def data(frame: DataFrame, keys: SessionKeys) -> bytes:
    """Return the PHYPayload of a data frame; FPort 0 carries MAC commands under the network key."""
    if len(frame.f_opts) > 15 or (frame.f_opts and frame.f_port == 0):
        raise FrameError("FOpts hold at most 15 bytes, and none beside FPort 0")
    body = (
        bytes((frame.message_header,))
        + frame.dev_addr.to_bytes(4, "little")
        + bytes((frame.control.byte(len(frame.f_opts)),))
        + (frame.f_cnt & 0xFFFF).to_bytes(2, "little")
        + frame.f_opts
    )
    if frame.f_port is not None:
        key = keys.application if frame.f_port else keys.network
        clear = frame.payload
        body += bytes((frame.f_port,)) + crypt(
            key, clear, dev_addr=frame.dev_addr, f_cnt=frame.f_cnt, downlink=frame.downlink
        )
    return body + _mic(keys.network, body, dev_addr=frame.dev_addr, f_cnt=frame.f_cnt, downlink=frame.downlink)


def read_data(frame: bytes, keys: SessionKeys, *, f_cnt_high: int = 0) -> DataFrame:
    """Return a data frame in clear; `f_cnt_high` is the upper half of its counter. Raises FrameError."""
    kinds = {UNCONFIRMED_UP, UNCONFIRMED_DOWN, CONFIRMED_UP, CONFIRMED_DOWN}
    if len(frame) < _HEADER_BYTES + _MIC_BYTES or frame[0] not in kinds:
        raise FrameError(f"{len(frame)} bytes are no data frame")
    body, mic = frame[:-_MIC_BYTES], frame[-_MIC_BYTES:]
    downlink = frame[0] in {UNCONFIRMED_DOWN, CONFIRMED_DOWN}
    dev_addr = int.from_bytes(body[1:5], "little")
    f_cnt = f_cnt_high << 16 | int.from_bytes(body[6:8], "little")
    if _mic(keys.network, body, dev_addr=dev_addr, f_cnt=f_cnt, downlink=downlink) != mic:
        raise FrameError("the MIC is not of these keys and this counter")
    control, options = body[5], body[5] & 15
    rest = body[_HEADER_BYTES + options :]
    port = rest[0] if rest else None
    key = keys.application if port else keys.network
    return DataFrame(
        dev_addr=dev_addr,
        f_cnt=f_cnt,
        f_port=port,
        payload=crypt(key, rest[1:], dev_addr=dev_addr, f_cnt=f_cnt, downlink=downlink),
        f_opts=body[_HEADER_BYTES : _HEADER_BYTES + options],
        control=FrameControl(*(bool(control & bit) for bit in (0x80, 0x40, 0x20, 0x10))),
        confirmed=frame[0] in {CONFIRMED_UP, CONFIRMED_DOWN},
        downlink=downlink,
    )
