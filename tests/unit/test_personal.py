from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.personal import LEAST_METERS, Candidate, Figure, is_personal, published, refusal

DAY = datetime(2025, 11, 20, 23, tzinfo=UTC)


def meter(number: int, *, personal: bool = True, increase: float = 1.0, site_id: int = 1) -> Figure:
    return Figure(site_id, number, "water_volume", 0, DAY, personal, 24, None, None, None, increase)


def level(number: int, mean: float, samples: int = 1) -> Figure:
    figure = meter(number, personal=False)
    return figure._replace(
        quantity="temperature", samples=samples, minimum=mean - 1, mean=mean, maximum=mean + 1, increase=None
    )


@pytest.mark.parametrize(
    ("domain", "said", "personal"),
    [
        ("water", None, True),
        ("energy", None, True),
        ("environment", None, False),
        ("water", False, False),
        ("environment", True, True),
    ],
)
def test_a_meter_is_a_household_s_until_somebody_says_otherwise(
    domain: str,
    said: bool | None,  # noqa: FBT001 - a case
    personal: bool,  # noqa: FBT001 - a case
) -> None:
    assert is_personal(domain, is_individual=said) is personal


@pytest.mark.parametrize("grain", ["point", "site"])
@pytest.mark.parametrize("every", ["hour", "day"])
def test_meters_of_households_are_published_by_day_and_site_alone(grain: str, every: str) -> None:
    own = Candidate("Mme Roux", "water_volume", personal=True)
    nobodys = Candidate("Mairie", "water_volume", personal=False)
    said = refusal(grain, every, [own, nobodys])  # type: ignore[arg-type]
    assert bool(said) == ((grain, every) != ("site", "day"))
    assert "Mairie" not in said
    assert refusal(grain, every, [nobodys]) == ""  # type: ignore[arg-type]


def test_ten_households_are_told_together_and_nine_are_not() -> None:
    enough = [meter(number) for number in range(LEAST_METERS)]
    (row,) = published("site", "day", enough)
    assert (row.point_id, row.channel, row.increase, row.samples) == (None, None, LEAST_METERS, 24 * LEAST_METERS)
    assert published("site", "day", enough[1:]) == []
    assert published("site", "day", [*enough[1:], meter(1)]) == []  # the same household twice
    assert published("site", "day", [*enough[1:], meter(99, personal=False)]) == []  # nor behind a building
    assert published("site", "day", [*enough[1:], meter(99, site_id=2)]) == []
    assert published("site", "hour", enough) == []
    assert published("point", "day", enough) == []


def test_levels_of_a_site_are_weighed_by_their_samples() -> None:
    (row,) = published("site", "hour", [level(1, 10.0, samples=3), level(2, 20.0, samples=1)])
    assert (row.minimum, row.mean, row.maximum, row.increase) == (9.0, 12.5, 21.0, None)


def test_an_empty_interval_is_not_published() -> None:
    assert published("point", "day", [level(1, 10.0)._replace(samples=0)]) == []


FIGURES = st.lists(
    st.builds(
        meter,
        st.integers(1, 15),
        personal=st.booleans(),
        increase=st.floats(0, 100),
        site_id=st.integers(1, 2),
    ),
    max_size=40,
)


@given(FIGURES, st.sampled_from(["point", "site"]), st.sampled_from(["hour", "day"]))
def test_no_published_figure_is_of_few_households(figures: list[Figure], grain: str, every: str) -> None:
    for row in published(grain, every, figures):  # type: ignore[arg-type]
        behind = [
            one
            for one in figures
            if one.site_id == row.site_id and (row.point_id is None or one.point_id == row.point_id) and one.personal
        ]
        if row.point_id is not None:
            assert row.increase in [one.increase for one in figures if not one.personal]
        else:
            assert len({one.point_id for one in behind}) in {0, *range(LEAST_METERS, 99)}
            assert not behind or every == "day"
