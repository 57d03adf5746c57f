"""Commands for devices: what a model or a codec takes, and the bytes that stand for one. Pure."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from domain.errors import SamaraError

PERIOD: Final = "period"  # of every model that has it: how often the device sends
PERIOD_S: Final = "period_s"
CODEC: Final = "codec"  # whatever a JavaScript codec's encodeDownlink makes bytes of
RAW: Final = "raw"  # bytes as somebody wrote them
F_PORTS: Final = range(1, 224)
MAX_PERIOD_S: Final = 31 * 86_400

Origin = Literal["model", "codec", "raw"]
# LoRaWAN regional parameters, EU863-870: the largest payload of a frame without MAC commands, bytes.
_MOST_BYTES: Final = {12: 51, 11: 51, 10: 51, 9: 115, 8: 242, 7: 242}


class CommandError(SamaraError):
    """No bytes stand for this command: what is wrong with it."""


class Parameter(NamedTuple):
    """One whole number that a command takes, `least` and `most` included; it is a multiple of `step`."""

    name: str
    unit: str
    least: int
    most: int
    step: int = 1


class Command(NamedTuple):
    """What a device can be told. `sets_period`: its expected period follows once it has acknowledged.

    Of a codec `names` are those that its script looks at, as far as reading it says.
    """

    name: str
    origin: Origin
    parameters: tuple[Parameter, ...] = ()
    sets_period: bool = False
    names: tuple[str, ...] = ()


class Encoded(NamedTuple):
    """What goes to the device. `period_s`: how often it will send afterwards, where the command says so."""

    f_port: int
    payload: bytes
    warnings: tuple[str, ...] = ()
    period_s: int | None = None


def checked(command: Command, given: Mapping[str, Any]) -> dict[str, int]:
    """Return the values of a command of a model. Raises CommandError naming the first that will not do."""
    known = {one.name: one for one in command.parameters}
    for name in given:
        if name not in known:
            raise CommandError(f"{name[:40]!r} is no parameter of {command.name}: {', '.join(known) or 'it has none'}")
    values: dict[str, int] = {}
    for name, one in known.items():
        value = given.get(name)
        if type(value) is not int or not one.least <= value <= one.most or value % one.step:
            by = f", a multiple of {one.step}" if one.step > 1 else ""
            raise CommandError(f"{name} is a whole number from {one.least} to {one.most}{by} ({one.unit})")
        values[name] = value
    return values


def most_bytes(spreading_factor: int | None) -> int:
    """Return the largest payload that reaches a device heard so. None: never heard, so the slowest."""
    return _MOST_BYTES.get(spreading_factor or 12, 51)
