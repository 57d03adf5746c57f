"""The kinds of device of the demonstration: the model, what it measures and how often it tells it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.uses import Use
from simulators.demo import buildings, senses
from simulators.demo.buildings import Energy, Habits, Room, Story, Water
from simulators.demo.places import Site
from simulators.demo.senses import Sense

HOURLY: Final = 4  # quarters of an hour between two messages
RARELY: Final = 16
TWICE_A_DAY: Final = 48

PROFILES: Final = {
    "axioma-w1": "Axioma Qalcosonic W1",
    "dragino-dds75-lb": "Dragino DDS75-LB",
    "dragino-lse01": "Dragino LSE01",
    "elsys-ers-co2": "Elsys ERS CO2",
    "fludia-fm432e": "Fludia FM432e",
    "fludia-fm432g": "Fludia FM432g",
    "makerfabs-soil-moisture": "Makerfabs Soil Moisture Sensor",
    "milesight-ws523": "Milesight WS523",
    "multitech-rbs301-dws": "Multitech RBS301-DWS",
    "multitech-rbs301-temp": "Multitech RBS301-TEMP",
    "multitech-rbs305-ath": "Multitech RBS305-ATH",
}


class DemoDevice(NamedTuple):
    """One device as the demonstration declares it.

    `quantity` names what its page shows first, in the words of `domain.quantities`. `every` is the period of its
    messages, in quarters of an hour. `parameters` are what its decoder needs to know. `use` is what it meters for, and
    `part_of` the point of the site that counts it as well.
    """

    dev_eui: str
    name: str
    model: str
    site: Site
    point: str
    quantity: str
    every: int
    parameters: Mapping[str, str]
    use: Use | None
    part_of: str

    @property
    def profile(self) -> str:
        """The device profile's name in the network server."""
        return PROFILES[self.model]


class Placed(NamedTuple):
    """A device before it has a number."""

    model: str
    point: str
    quantity: str
    every: int
    sense: Sense
    parameters: Mapping[str, str] = {}
    use: Use | None = None
    part_of: str = ""


GENERAL: Final = "Électricité, compteur général"
_GAS: Final = {"pulse_weight": "10", "pulse_unit": "L", "pulse_quantity": "gas_volume"}


def electricity(story: Story, site: Site, habits: Habits, energy: Energy) -> Placed:
    """Return what counts the electricity of a whole site."""
    index = buildings.energy_index(story, habits, energy, _seed(site), 4.1e6)
    return Placed(
        "fludia-fm432e",
        GENERAL,
        "active_energy_import",
        TWICE_A_DAY,
        senses.electricity_meter(index),
    )


def gas(story: Story, site: Site, habits: Habits, heat_w_per_k: float, trend: float) -> Placed:
    """Return what counts the gas of a boiler that gives so much for each degree of cold."""
    index = buildings.gas_index(story, habits, Energy(0, 0, heat_w_per_k, trend), _seed(site), 8.8e6)
    return Placed(
        "fludia-fm432g", "Gaz, chaufferie", "gas_volume", TWICE_A_DAY, senses.gas_meter(index), _GAS, "heating"
    )


def water(story: Story, site: Site, habits: Habits, water: Water) -> Placed:
    """Return what counts the water of a whole site."""
    index = buildings.water_index(story, habits, water, _seed(site), 1.2e6)
    return Placed("axioma-w1", "Eau, compteur général", "water_volume", TWICE_A_DAY, senses.water_meter(index))


def air(story: Story, point: str, habits: Habits, room: Room) -> Placed:
    """Return what tells the CO2, the warmth and the damp of a room."""
    return Placed("elsys-ers-co2", point, "co2", HOURLY, senses.room_air(story, habits, room))


def warmth(story: Story, point: str, habits: Habits, room: Room) -> Placed:
    """Return what tells how warm a room is."""
    sense = senses.room_temperature(story, habits, room)
    return Placed("multitech-rbs301-temp", point, "temperature", RARELY, sense)


def climate(story: Story, point: str, habits: Habits, room: Room) -> Placed:
    """Return what tells how warm and damp a room is."""
    return Placed("multitech-rbs305-ath", point, "temperature", RARELY, senses.room_climate(story, habits, room))


def _seed(site: Site) -> str:
    return f"{site.insee} {site.name}"
