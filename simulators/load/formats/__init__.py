"""One network server's way to say an uplink: one file each. Built for speed: what does not change is made once."""

from typing import NamedTuple, Protocol

from simulators.load.frames import Kind
from simulators.load.spec import LoadSpec


class OnAir(NamedTuple):
    """How a frame was on the air and who heard it: (gateway, RSSI dBm, SNR dB) of each."""

    spreading_factor: int
    frequency_hz: int
    heard: tuple[tuple[int, int, float], ...]
    confirmed: bool = False


class Sent(NamedTuple):
    """One uplink to say. `number` counts the device's uplinks; `late` means that the last gateway alone heard it.

    Without `air`, it is SF7, heard by gateways and at powers drawn from tables.
    """

    device: int
    number: int
    variant: int
    dev_addr: int
    f_cnt: int
    received_ms: int
    payload: bytes
    late: bool = False
    air: OnAir | None = None


class Encoder(Protocol):
    """What a format offers. Each method returns (topic, message)."""

    def __init__(self, spec: LoadSpec) -> None: ...

    def uplink(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:
        """Say an uplink."""

    def join(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:
        """Say that a device joined, with its new DevAddr."""

    def log(self, sent: Sent, kind: Kind) -> tuple[str, bytes] | None:
        """Say that a device's FCnt went back; None where the network server does not publish it."""

    def connection(self, gateway: int, received_ms: int, *, online: bool) -> tuple[str, bytes] | None:
        """Say that a gateway is connected or not; None where the network server does not publish it."""

    def stats(self, gateway: int, received_ms: int, frames: int) -> tuple[str, bytes] | None:
        """Say what a gateway counted; None where the network server does not publish it."""


def encoder(spec: LoadSpec) -> Encoder:
    """Return the encoder of the spec's format."""
    from simulators.load.formats import chirpstack_json, chirpstack_protobuf, things_stack  # noqa: PLC0415 - a cycle

    formats: dict[str, type[Encoder]] = {
        "chirpstack-json": chirpstack_json.ChirpStackJson,
        "chirpstack-protobuf": chirpstack_protobuf.ChirpStackProtobuf,
        "things-stack": things_stack.ThingsStack,
    }
    return formats[spec.format](spec)
