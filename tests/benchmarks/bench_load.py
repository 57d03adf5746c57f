"""What is sent: 40,000 Elsys ERS CO2, five readings a frame, heard by two gateways, told by ChirpStack in JSON."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from simulators.load.ledger import dev_eui
from simulators.load.spec import LoadSpec, at_rate

MODEL: Final = "elsys-ers-co2"
READINGS: Final = 5
DEVICES: Final = 40_000
_PERIOD_S: Final = 900.0


def backlog(uplinks: int) -> LoadSpec:
    """Return so many uplinks of the whole fleet, one every 15 minutes, as fast as they can be published."""
    per_device = max(1, uplinks // DEVICES)
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=per_device * _PERIOD_S)
    devices = min(DEVICES, uplinks)
    return LoadSpec(
        devices=devices, uplinks_per_device=per_device, period_s=_PERIOD_S, speed=None, start_at=begin, models=(MODEL,)
    )


def paced(rate: int, seconds: int) -> dict[str, Any]:
    """Return the options of a live load; it starts when it is told to."""
    return {"rate": rate, "seconds": seconds, "devices": min(DEVICES, rate * seconds // 4)}


def spec_of(options: dict[str, Any]) -> LoadSpec:
    """Return the spec of JSON options: `uplinks`, or `rate`, `seconds` and `devices`."""
    if "uplinks" in options:
        return backlog(options["uplinks"])
    rate, seconds, devices = options["rate"], options["seconds"], options["devices"]
    return at_rate(rate, seconds, start_at=datetime.now(UTC), devices=devices, models=(MODEL,))


def dev_euis() -> list[str]:
    """Return the whole fleet's."""
    spec = LoadSpec(devices=DEVICES)
    return [dev_eui(spec, device) for device in range(DEVICES)]
