"""The vocabulary: every quantity Samara knows, its one unit, its kind and its plausible range.

Units are UCUM codes (ucum.org). A gauge is a level at an instant; a counter is an index that only grows
(its increase is what was used); a state is 0 or 1, or a small code. The plausible range is what a working
sensor can say anywhere on a territory: wider than what is likely, narrower than what a broken one says.
"""

from typing import Final, Literal, NamedTuple

Kind = Literal["gauge", "counter", "state"]
Domain = Literal["energy", "water", "environment", "device"]


class Quantity(NamedTuple):
    """One thing that can be measured. `low` and `high` bound the plausible values, both included."""

    name: str
    unit: str
    kind: Kind
    domain: Domain
    low: float
    high: float
    label_fr: str
    label_en: str


def _vocabulary(*quantities: Quantity) -> dict[str, Quantity]:
    return {quantity.name: quantity for quantity in quantities}


_MAX_INDEX: Final = 1e12

QUANTITIES: Final[dict[str, Quantity]] = _vocabulary(
    # Environment: air
    Quantity("temperature", "Cel", "gauge", "environment", -60, 100, "Température", "Temperature"),
    Quantity("humidity", "%", "gauge", "environment", 0, 100, "Humidité de l'air", "Air humidity"),
    Quantity("dew_point", "Cel", "gauge", "environment", -80, 60, "Point de rosée", "Dew point"),
    Quantity("pressure", "hPa", "gauge", "environment", 300, 1200, "Pression de l'air", "Air pressure"),
    Quantity("differential_pressure", "Pa", "gauge", "environment", -1e6, 1e6, "Pression différentielle", "Differential pressure"),
    Quantity("co2", "[ppm]", "gauge", "environment", 0, 40000, "CO2", "CO2"),
    Quantity("tvoc", "[ppb]", "gauge", "environment", 0, 65000, "Composés organiques volatils", "Volatile organic compounds"),
    Quantity("tvoc_concentration", "ug/m3", "gauge", "environment", 0, 100000, "Composés organiques volatils (masse)", "Volatile organic compounds (mass)"),
    Quantity("iaq_index", "1", "gauge", "environment", 0, 1000, "Indice de qualité de l'air", "Air quality index"),
    Quantity("formaldehyde", "ug/m3", "gauge", "environment", 0, 10000, "Formaldéhyde", "Formaldehyde"),
    Quantity("pm1", "ug/m3", "gauge", "environment", 0, 10000, "Particules PM1", "Particles PM1"),
    Quantity("pm2_5", "ug/m3", "gauge", "environment", 0, 10000, "Particules PM2,5", "Particles PM2.5"),
    Quantity("pm10", "ug/m3", "gauge", "environment", 0, 10000, "Particules PM10", "Particles PM10"),
    Quantity("carbon_monoxide", "[ppm]", "gauge", "environment", 0, 5000, "Monoxyde de carbone", "Carbon monoxide"),
    Quantity("no2", "ug/m3", "gauge", "environment", 0, 10000, "Dioxyde d'azote", "Nitrogen dioxide"),
    Quantity("ozone", "ug/m3", "gauge", "environment", 0, 10000, "Ozone", "Ozone"),
    Quantity("radon", "Bq/m3", "gauge", "environment", 0, 100000, "Radon", "Radon"),
    Quantity("illuminance", "lx", "gauge", "environment", 0, 250000, "Éclairement", "Illuminance"),
    Quantity("uv_index", "1", "gauge", "environment", 0, 25, "Indice UV", "UV index"),
    Quantity("sound_level", "dB[A]", "gauge", "environment", 0, 160, "Niveau sonore", "Sound level"),
    Quantity("sound_level_peak", "dB[A]", "gauge", "environment", 0, 180, "Niveau sonore de crête", "Peak sound level"),
    # Environment: weather, soil, presence
    Quantity("rain", "mm", "counter", "environment", 0, _MAX_INDEX, "Pluie cumulée", "Cumulated rain"),
    Quantity("wind_speed", "m/s", "gauge", "environment", 0, 120, "Vitesse du vent", "Wind speed"),
    Quantity("wind_gust", "m/s", "gauge", "environment", 0, 150, "Rafale", "Wind gust"),
    Quantity("wind_direction", "deg", "gauge", "environment", 0, 360, "Direction du vent", "Wind direction"),
    Quantity("solar_irradiance", "W/m2", "gauge", "environment", 0, 2000, "Rayonnement solaire", "Solar irradiance"),
    Quantity("soil_moisture", "%", "gauge", "environment", 0, 100, "Humidité du sol", "Soil moisture"),
    Quantity("soil_moisture_raw", "1", "gauge", "environment", 0, 65535, "Humidité du sol (brute)", "Soil moisture (raw)"),
    Quantity("soil_temperature", "Cel", "gauge", "environment", -60, 100, "Température du sol", "Soil temperature"),
    Quantity("soil_conductivity", "uS/cm", "gauge", "environment", 0, 50000, "Conductivité du sol", "Soil conductivity"),
    Quantity("soil_water_tension", "kPa", "gauge", "environment", 0, 300, "Tension de l'eau du sol", "Soil water tension"),
    Quantity("leaf_wetness", "%", "gauge", "environment", 0, 100, "Humectation foliaire", "Leaf wetness"),
    Quantity("latitude", "deg", "gauge", "environment", -90, 90, "Latitude", "Latitude"),
    Quantity("longitude", "deg", "gauge", "environment", -180, 180, "Longitude", "Longitude"),
    Quantity("altitude", "m", "gauge", "environment", -500, 10000, "Altitude", "Altitude"),
    Quantity("roll", "deg", "gauge", "environment", -180, 180, "Roulis", "Roll"),
    Quantity("pitch", "deg", "gauge", "environment", -180, 180, "Tangage", "Pitch"),
    Quantity("acceleration_x", "[g]", "gauge", "environment", -200, 200, "Accélération X", "Acceleration X"),
    Quantity("acceleration_y", "[g]", "gauge", "environment", -200, 200, "Accélération Y", "Acceleration Y"),
    Quantity("acceleration_z", "[g]", "gauge", "environment", -200, 200, "Accélération Z", "Acceleration Z"),
    Quantity("presence", "1", "state", "environment", 0, 1, "Présence", "Presence"),
    Quantity("motion_count", "1", "counter", "environment", 0, _MAX_INDEX, "Mouvements comptés", "Motions counted"),
    Quantity("people_count", "1", "counter", "environment", 0, _MAX_INDEX, "Passages comptés", "People counted"),
    Quantity("open", "1", "state", "environment", 0, 1, "Ouverture", "Open"),
    Quantity("opening_count", "1", "counter", "environment", 0, _MAX_INDEX, "Ouvertures comptées", "Openings counted"),
    Quantity("alarm", "1", "state", "environment", 0, 1, "Alarme", "Alarm"),
    # Water
    Quantity("water_volume", "m3", "counter", "water", 0, _MAX_INDEX, "Index d'eau", "Water index"),
    Quantity("water_volume_reverse", "m3", "counter", "water", 0, _MAX_INDEX, "Index d'eau, retour", "Water index, reverse"),
    Quantity("water_flow", "m3/h", "gauge", "water", -10000, 10000, "Débit d'eau", "Water flow"),
    Quantity("water_level", "m", "gauge", "water", -100, 1000, "Niveau d'eau", "Water level"),
    Quantity("water_pressure", "bar", "gauge", "water", -1, 1000, "Pression de l'eau", "Water pressure"),
    Quantity("water_temperature", "Cel", "gauge", "water", -20, 150, "Température de l'eau", "Water temperature"),
    Quantity("water_leak", "1", "state", "water", 0, 1, "Fuite d'eau", "Water leak"),
    Quantity("water_conductivity", "uS/cm", "gauge", "water", 0, 200000, "Conductivité de l'eau", "Water conductivity"),
    Quantity("ph", "[pH]", "gauge", "water", 0, 14, "pH", "pH"),
    Quantity("turbidity", "[NTU]", "gauge", "water", 0, 10000, "Turbidité", "Turbidity"),
    Quantity("dissolved_oxygen", "mg/L", "gauge", "water", 0, 100, "Oxygène dissous", "Dissolved oxygen"),
    Quantity("distance", "m", "gauge", "water", 0, 1000, "Distance mesurée", "Measured distance"),
    # Energy
    Quantity("active_energy_import", "kW.h", "counter", "energy", 0, _MAX_INDEX, "Énergie active soutirée", "Active energy imported"),
    Quantity("active_energy_export", "kW.h", "counter", "energy", 0, _MAX_INDEX, "Énergie active injectée", "Active energy exported"),
    Quantity("reactive_energy_import", "kV.A{r}.h", "counter", "energy", 0, _MAX_INDEX, "Énergie réactive positive", "Reactive energy imported"),
    Quantity("reactive_energy_export", "kV.A{r}.h", "counter", "energy", 0, _MAX_INDEX, "Énergie réactive négative", "Reactive energy exported"),
    Quantity("electric_charge", "A.h", "counter", "energy", 0, _MAX_INDEX, "Charge électrique", "Electric charge"),
    Quantity("active_power", "W", "gauge", "energy", -1e9, 1e9, "Puissance active", "Active power"),
    Quantity("reactive_power", "V.A{r}", "gauge", "energy", -1e9, 1e9, "Puissance réactive", "Reactive power"),
    Quantity("apparent_power", "V.A", "gauge", "energy", 0, 1e9, "Puissance apparente", "Apparent power"),
    Quantity("apparent_power_max", "V.A", "gauge", "energy", 0, 1e9, "Puissance apparente maximale", "Maximum apparent power"),
    Quantity("voltage", "V", "gauge", "energy", -1000, 100000, "Tension", "Voltage"),
    Quantity("current", "A", "gauge", "energy", -10000, 10000, "Intensité", "Current"),
    Quantity("power_factor", "1", "gauge", "energy", -1, 1, "Facteur de puissance", "Power factor"),
    Quantity("frequency", "Hz", "gauge", "energy", 0, 1000, "Fréquence", "Frequency"),
    Quantity("tariff_period", "1", "state", "energy", 0, 255, "Période tarifaire", "Tariff period"),
    Quantity("gas_volume", "m3", "counter", "energy", 0, _MAX_INDEX, "Index de gaz", "Gas index"),
    Quantity("heat_energy", "kW.h", "counter", "energy", 0, _MAX_INDEX, "Énergie thermique", "Heat energy"),
    Quantity("heat_power", "W", "gauge", "energy", -1e9, 1e9, "Puissance thermique", "Heat power"),
    Quantity("flow_temperature", "Cel", "gauge", "energy", -50, 200, "Température de départ", "Flow temperature"),
    Quantity("return_temperature", "Cel", "gauge", "energy", -50, 200, "Température de retour", "Return temperature"),
    Quantity("setpoint_temperature", "Cel", "gauge", "energy", -20, 100, "Température de consigne", "Set-point temperature"),
    Quantity("valve_position", "%", "gauge", "energy", 0, 100, "Ouverture de vanne", "Valve position"),
    Quantity("pulse_count", "1", "counter", "energy", 0, _MAX_INDEX, "Impulsions comptées", "Pulses counted"),
    Quantity("on", "1", "state", "energy", 0, 1, "En marche", "On"),
    # The device itself
    Quantity("battery_voltage", "V", "gauge", "device", 0, 60, "Tension de pile", "Battery voltage"),
    Quantity("battery_level", "%", "gauge", "device", 0, 100, "Niveau de pile", "Battery level"),
    Quantity("battery_low", "1", "state", "device", 0, 1, "Pile faible", "Battery low"),
    Quantity("tamper", "1", "state", "device", 0, 1, "Boîtier ouvert", "Tamper"),
    Quantity("device_fault", "1", "state", "device", 0, 1, "Défaut du capteur", "Sensor fault"),
    Quantity("device_temperature", "Cel", "gauge", "device", -60, 150, "Température du boîtier", "Device temperature"),
    Quantity("device_restart_count", "1", "counter", "device", 0, _MAX_INDEX, "Redémarrages comptés", "Restarts counted"),
    Quantity("device_message_count", "1", "counter", "device", 0, _MAX_INDEX, "Messages comptés", "Messages counted"),
    Quantity("downlink_rssi", "dB[m]", "gauge", "device", -200, 20, "RSSI descendant", "Downlink RSSI"),
    Quantity("downlink_snr", "dB", "gauge", "device", -40, 40, "SNR descendant", "Downlink SNR"),
    Quantity("analog_voltage", "V", "gauge", "device", -100, 100, "Entrée analogique (V)", "Analogue input (V)"),
    Quantity("analog_current", "mA", "gauge", "device", -100, 100, "Entrée analogique (mA)", "Analogue input (mA)"),
    Quantity("digital_input", "1", "state", "device", 0, 255, "Entrée logique", "Digital input"),
)  # fmt: skip

FOREIGN_PREFIX: Final = "ns:"  # a number that a network server's own codec computed, under its own name


def is_plausible(quantity: Quantity, value: float) -> bool:
    """Say whether a working sensor can say this. NaN and the infinities never are."""
    return quantity.low <= value <= quantity.high
