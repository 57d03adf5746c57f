"""What is sent: 40,000 Elsys ERS CO2, five readings a frame, heard by two gateways, told by ChirpStack in JSON."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from decoders.javascript.mapping import Field
from simulators.load.ledger import dev_eui
from simulators.load.spec import LoadSpec, at_rate

MODEL: Final = "elsys-ers-co2"
READINGS: Final = 5
DEVICES: Final = 40_000
_PERIOD_S: Final = 900.0


SCRIPT: Final = """
function signed(value) { return value > 0x7fff ? value - 0x10000 : value; }
function decodeUplink(input) {
  var bytes = input.bytes, data = {}, i = 0;
  while (i < bytes.length) {
    switch (bytes[i++]) {
      case 1: data.temperature = signed((bytes[i] << 8) | bytes[i + 1]) / 10; i += 2; break;
      case 2: data.humidity = bytes[i]; i += 1; break;
      case 4: data.light = (bytes[i] << 8) | bytes[i + 1]; i += 2; break;
      case 6: data.co2 = (bytes[i] << 8) | bytes[i + 1]; i += 2; break;
      case 7: data.battery = ((bytes[i] << 8) | bytes[i + 1]) / 1000; i += 2; break;
      default: return { errors: ["unknown type"] };
    }
  }
  return { data: data };
}
"""
SCRIPT_FIELDS: Final = (
    Field("temperature", "temperature"),
    Field("humidity", "humidity"),
    Field("light", "illuminance"),
    Field("co2", "co2"),
    Field("battery", "battery_voltage"),
)


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
    """Return the spec of options that came as JSON: `uplinks`, or `rate`, `seconds` and `devices` from now on."""
    if "uplinks" in options:
        return backlog(options["uplinks"])
    now = datetime.now(UTC)
    start_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
    rate, seconds, devices = options["rate"], options["seconds"], options["devices"]
    return at_rate(rate, seconds, start_at=start_at, devices=devices, models=(MODEL,))


def dev_euis() -> list[str]:
    """Return the whole fleet's."""
    spec = LoadSpec(devices=DEVICES)
    return [dev_eui(spec, device) for device in range(DEVICES)]
