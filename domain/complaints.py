"""What a network server complains of, by its code and words: what it means for whoever watches the network. Pure.

Source: ChirpStack v4, `api/proto/integration/integration.proto`, LogCode; ThingPark's notification `reset`.
"""

from typing import Final

NONCE: Final = "nonce"  # a DevNonce used before: a device that begins again, or somebody who repeats what was heard
JOIN: Final = "join"  # a join that was refused for another reason
COUNTER: Final = "counter"  # a frame counter that went back
MIC: Final = "mic"  # a signature that does not fit: wrong keys, or another network's device
DOWNLINK: Final = "downlink"  # something that could not be sent
CODEC: Final = "codec"  # the network server's own decoder
OTHER: Final = "other"

KINDS: Final = (NONCE, JOIN, MIC, COUNTER, DOWNLINK, CODEC, OTHER)

_BY_CODE: Final = {
    "OTAA": JOIN,
    "UPLINK_MIC": MIC,
    "UPLINK_F_CNT_RESET": COUNTER,
    "UPLINK_F_CNT_RETRANSMISSION": COUNTER,
    "RESET": COUNTER,
    "DOWNLINK_PAYLOAD_SIZE": DOWNLINK,
    "DOWNLINK_GATEWAY": DOWNLINK,
    "F_CNT_DOWN": DOWNLINK,
    "UPLINK_CODEC": CODEC,
    "DOWNLINK_CODEC": CODEC,
}


def kind_of(code: str, description: str) -> str:
    """Return which of KINDS a complaint is."""
    if "devnonce" in description.casefold():
        return NONCE
    return _BY_CODE.get(code, OTHER)
