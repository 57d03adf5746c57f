"""MultiTech / Radio Bridge RBS301 and RBS305 sensors.

Source: support.radiobridge.com, "How do I decode a Door/Window event?", "… an Air Temperature and Humidity
event?", "… a sensor's Supervisory Message?"; RBS301-TEMP user guide.
Byte map, f_port 2 (1 on older firmware):
  PC TT EE …   P protocol version 1 (high nibble), C packet counter 0-15, T message type, E event
  03  door/window:        E 0 closed, 1 open
  0D  air temp. humidity: E 0 periodic | TT temperature, sign bit and magnitude | T0 tenths, high nibble
                          | HH humidity % | H0 tenths, high nibble
  19  internal temp.:     E 0 periodic | TT | T0, as above
  01  supervisory:        error bits | sensor state | battery in volts, two digits | 4 extended state
                          | event count, uint16
"""

_PROTOCOL = 0x10


def _head(message_type: int, counter: int, event: int) -> bytes:
    return bytes((_PROTOCOL | counter & 0x0F, message_type, event))


def _signed_tenths(value: float) -> bytes:
    """Return whole degrees as sign and magnitude, then tenths in the high nibble; clipped to ±127.9."""
    tenths = min(1279, round(abs(value) * 10))
    sign = 0x80 if value < 0 and tenths else 0
    return bytes((sign | tenths // 10, tenths % 10 << 4))


def temperature(temperature_c: float, *, counter: int) -> bytes:
    """Return a periodic report of an RBS301-TEMP with an internal probe."""
    return _head(0x19, counter, 0x00) + _signed_tenths(temperature_c)


def temperature_humidity(temperature_c: float, humidity_pct: float, *, counter: int) -> bytes:
    """Return a periodic report of an RBS305-ATH."""
    tenths = min(1000, max(0, round(humidity_pct * 10)))
    return _head(0x0D, counter, 0x00) + _signed_tenths(temperature_c) + bytes((tenths // 10, tenths % 10 << 4))


def door(*, is_open: bool, counter: int) -> bytes:
    """Return a door/window event of an RBS301-DWS."""
    return _head(0x03, counter, 0x01 if is_open else 0x00)


def supervisory(battery_v: float, *, counter: int, state: int = 0, events: int = 0) -> bytes:
    """Return the daily sign of life: no error, cover closed."""
    volts, tenths = divmod(min(99, round(battery_v * 10)), 10)
    closed = 0x08
    return _head(0x01, counter, closed) + bytes((state, volts << 4 | tenths, 0, 0, 0, 0)) + events.to_bytes(2, "big")
