"""The tariffs that French electricity meters name on their customer output (TIC).

Source: Enedis-NOI-CPT_02E, "Sorties de telereport client": PTEC of the historical mode, PTCOUR of PME-PMI.
"""

from typing import Final

# By the beginning of PTEC, which the meter pads with dots: the channel whose index counts. White and red days
# follow the blue ones, the cheap hours come before the dear ones.
HISTORICAL_TARIFFS: Final = {"TH": 0, "HC": 1, "HN": 1, "HP": 2, "PM": 2} | {
    "HCJB": 1, "HPJB": 2, "HCJW": 3, "HPJW": 4, "HCJR": 5, "HPJR": 6
}  # fmt: skip

# A PME-PMI meter gives the index of the running tariff alone: each tariff has its channel.
_PME_PMI_NAMES: Final = ("P", "PM", "HPH", "HCH", "HPE", "HCE", "HPD", "HCD", "HH", "JA", "HP", "HC")
PME_PMI_TARIFFS: Final = {name: number for number, name in enumerate(_PME_PMI_NAMES, 1)}
