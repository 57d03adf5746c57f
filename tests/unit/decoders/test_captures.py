"""Our readings of captured uplinks, beside what the network server's own codec made of the same bytes.

Where the two differ, one class of `EXPLANATIONS` says why; a difference that none explains fails, and so does
an explanation that no uplink needs any more. The captures are not part of the project.
"""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from decoders.registry import Registry
from domain.readings import DECODED, EMPTY

REGISTRY = Registry.load()


class Difference(NamedTuple):
    """One quantity of one uplink on which we differ; None where a side says nothing of it."""

    model_id: str
    payload: bytes
    quantity: str
    ours: float | None
    theirs: float | None


# Their field -> our quantity. Several codecs of several ages: one thing bears several names.
FIELDS = {
    "temperature": "temperature",
    "humidity": "humidity",
    "open": "open",
    "batteryLevel": "battery_voltage",
    "batteryLow": "battery_low",
    "tamperState": "tamper",
    "radioCommError": "device_fault",
    "lastDownlinkRssi": "downlink_rssi",
    "lastDownlinkSnr": "downlink_snr",
    "Supervisory.Battery": "battery_voltage",
    "Supervisory.BatteryLow": "battery_low",
    "Supervisory.TamperState": "tamper",
    "Supervisory.RadioCommError": "device_fault",
    "Link_Quality.RSSI": "downlink_rssi",
    "Link_Quality.SNR": "downlink_snr",
    "distance": "distance",
    "soil_val": "soil_moisture_raw",
    "battery_v": "battery_voltage",
    "hum": "humidity",
    "temp": "temperature",
    "Bat": "battery_voltage",
    "TempC_DS18B20": "temperature",
    "conduct_SOIL": "soil_conductivity",
    "temp_SOIL": "soil_temperature",
    "water_SOIL": "soil_moisture",
}
# Their fields that measure nothing. Accumulation counts events since the last such frame: it is no index.
NOT_MEASURED = {
    *("Protocol", "Type", "Counter", "Event", "event", "eventType", "rawType", "serial", "subBand", "fPort"),
    *("length", "errorWithLastDownlink", "tamperSinceLastReset", "accumulationCount", "Link_Quality.Subband"),
    *("Supervisory.Accumulation", "Supervisory.TamperSinceLastReset", "Supervisory.ErrorWithLastDownlink"),
    *("Reset.Firmware", "Reset.Hardware", "Reset.Device"),
}
# Their unit is not ours.
FACTORS = {"distance": 0.001}


def _is_radio_bridge(difference: Difference, message_type: int) -> bool:
    return difference.model_id.startswith("multitech-") and difference.payload[1] == message_type


EXPLANATIONS: dict[str, Callable[[Difference], bool]] = {
    "theirs drops or rounds away the tenths of a temperature": lambda d: (
        d.quantity == "temperature"
        and d.ours is not None
        and d.theirs is not None
        and d.theirs == int(d.theirs)
        and abs(d.ours - d.theirs) < 1
    ),
    "theirs drops or rounds away the tenths of a humidity": lambda d: (
        d.quantity == "humidity"
        and d.ours is not None
        and d.theirs is not None
        and d.theirs == int(d.theirs)
        and abs(d.ours - d.theirs) < 1
    ),
    "theirs reads a humidity of 0 from a frame that has none": lambda d: (
        d.quantity == "humidity" and d.ours is None and d.theirs == 0 and _is_radio_bridge(d, 0x19)
    ),
    "theirs shows the tamper switch: 1 is closed, that is untampered": lambda d: (
        d.quantity == "tamper" and d.ours is not None and d.theirs == 1 - d.ours
    ),
    "theirs knows nothing of this message type": lambda d: (
        d.theirs is None and d.ours is not None and _is_radio_bridge(d, 0x0D)
    ),
    "theirs subtracts 256 from an RSSI of 0, which says that no downlink was heard": lambda d: (
        d.quantity == "downlink_rssi" and d.ours is None and d.theirs == -256
    ),
    "theirs gives the SNR of a downlink that was not heard": lambda d: (
        d.quantity == "downlink_snr" and d.ours is None and d.theirs == 0 and d.payload[3] == 0
    ),
    "theirs takes a negative SNR for an unsigned byte": lambda d: (
        d.quantity == "downlink_snr" and d.ours is not None and d.theirs == d.ours + 256
    ),
    "theirs gives a distance of 0 when there was no echo": lambda d: (
        d.quantity == "distance" and d.ours is None and d.theirs == 0
    ),
    "theirs gives the temperature of a probe that the product does not have": lambda d: (
        d.model_id == "dragino-lse01" and d.quantity == "temperature" and d.ours is None and d.theirs == 0
    ),
    "theirs leaves out the flag that says if the ultrasonic sensor was found": lambda d: (
        d.model_id == "dragino-dds75-lb" and d.quantity == "device_fault" and d.theirs is None
    ),
    "theirs believes a battery of more than 5 V": lambda d: (
        d.quantity == "battery_voltage" and d.ours is None and d.theirs is not None and d.theirs > 5
    ),
}


def uplinks(directory: Path) -> Iterator[tuple[str, bytes, int | None, Mapping[str, Any] | None]]:
    """Give (what names the model, payload, f_port, decoded object) of every captured uplink."""
    with gzip.open(directory / "chirpstack_v4.ndjson.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message["topic"].endswith("/up"):
                up = _payload(message)
                data = base64.b64decode(up.get("data", ""))
                yield up["deviceInfo"]["deviceProfileName"], data, up.get("fPort"), up.get("object")
    models = {"eui-a8404194a1875ff3": "LSE01", "dragino-gps-lgt-92-a840410001819394": "LGT-92"}
    for line in (directory / "thethingsstack_v3.ndjson").read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        up = _payload(message)["uplink_message"]
        data = base64.b64decode(up.get("frm_payload", ""))
        yield models[message["topic"].split("/")[3]], data, up.get("f_port"), up.get("decoded_payload")


def _payload(message: Mapping[str, Any]) -> Any:
    payload = message["payload"]
    return json.loads(payload) if isinstance(payload, str) else payload


def theirs(decoded: Mapping[str, Any]) -> dict[str, float]:
    """Return what their object measures, in our quantities and units."""
    fields: dict[str, Any] = {}
    for name, value in decoded.items():
        fields |= {f"{name}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {name: value}
    unknown = fields.keys() - FIELDS.keys() - NOT_MEASURED
    assert not unknown, f"fields that the table does not know: {unknown}"
    return {
        FIELDS[name]: _number(value) * FACTORS.get(FIELDS[name], 1) for name, value in fields.items() if name in FIELDS
    }


def _number(value: Any) -> float:
    """Some codecs give "3.384 V"."""
    return float(value.split(" ")[0].removesuffix("V") if isinstance(value, str) else value)


def differences(directory: Path) -> Iterator[Difference]:
    for name, payload, f_port, decoded in uplinks(directory):
        model_id = REGISTRY.match(name)
        assert model_id is not None, name
        result = REGISTRY.decode(model_id, payload, f_port)
        assert result.outcome == (DECODED if f_port else EMPTY), (name, payload.hex(), result)
        if result.outcome == EMPTY or decoded is None:
            continue
        our, their = {r.quantity: r.value for r in result.readings}, theirs(decoded)
        for quantity in our.keys() | their.keys():
            left, right = our.get(quantity), their.get(quantity)
            if left is None or right is None or left != pytest.approx(right, abs=1e-6):
                yield Difference(model_id, payload, quantity, left, right)


def test_every_difference_is_explained_and_every_explanation_needed(lns_data: Path) -> None:
    explained: Counter[str] = Counter()
    unexplained: Counter[str] = Counter()
    for difference in differences(lns_data):
        why = [name for name, holds in EXPLANATIONS.items() if holds(difference)]
        explained.update(why[:1])
        if not why:
            shown = f"{difference.model_id} {difference.payload.hex()} {difference.quantity}"
            unexplained[f"{shown}: ours {difference.ours}, theirs {difference.theirs}"] += 1
    assert not unexplained, "\n".join(f"{times} x {shown}" for shown, times in unexplained.most_common(40))
    assert explained.keys() == EXPLANATIONS.keys()
