"""Which codec decodes a device: its own, its model's, with its tenant or the nearest above."""

from store.bound_codecs import BoundCodecs, CodecInForce


def codec(name: str, tenant_id: int, quarantine: str = "") -> CodecInForce:
    return CodecInForce(1, tenant_id, name, name * 8, "", "[]", False, "v", 1, quarantine)  # noqa: FBT003 - a row


DEVICES, NEAR, FAR = codec("device", 1), codec("near", 2), codec("far", 1, "3 kills")
BOUND = BoundCodecs({7: DEVICES}, {(2, "m"): NEAR, (1, "m"): FAR}, {3: 2, 2: 1, 9: 8, 8: 9})


def test_the_nearest_wins() -> None:
    assert BOUND.of(7, 3, "m") is DEVICES
    assert BOUND.of(1, 3, "m") is BOUND.of(1, 2, "m") is NEAR
    assert BOUND.of(1, 1, "m") is FAR
    assert BOUND.of(1, 4, "m") is None
    assert BOUND.of(1, 3, "other") is BOUND.of(1, 3, None) is None


def test_tenants_in_a_circle_are_left() -> None:
    assert BOUND.of(1, 9, "m") is None


def test_what_is_bound_is_known() -> None:
    assert (bool(BOUND), bool(BoundCodecs())) == (True, False)
    assert (BOUND.knows("m"), BOUND.knows("other")) == (True, False)
    assert BOUND.quarantined == {(1, FAR.sha256)}
