import pytest

from domain.indoor_air import confinement


def test_the_icone_follows_its_formula() -> None:
    assert confinement([600.0] * 9) is None
    calm = confinement([600.0] * 20)
    assert calm is not None
    assert (calm.icone, calm.above_watch, calm.mean_ppm) == (0, 0, 600)
    # Half between 1000 and 1700: 2.5 / log10(2) x log10(1.5) = 1.46; all of it: 2.5; all above 1700: 5.
    assert [confinement(levels).icone for levels in ([600.0] * 10 + [1400.0] * 10, [2000.0] * 20)] == [1, 5]  # type: ignore[union-attr]
    mixed = confinement([700.0] * 5 + [1200.0] * 5 + [1600.0] * 5 + [1800.0] * 5)
    assert mixed is not None
    assert mixed.above_act == pytest.approx(0.5)
    assert mixed.icone == 3  # f1 0.5, f2 0.25: 2.5 / log10(2) x log10(1 + 0.5 + 0.75) = 2.92
