"""Real territories that come with Samara: one CSV of communes each.

somme.csv: the 771 communes of the Somme as of 1 January 2026. Columns: INSEE code, name, SIREN, SIREN and name of the
EPCI, total population, latitude and longitude of the middle of its land (WGS 84), area in km2.

Sources, both under the Licence Ouverte 2.0 of Etalab:
- INSEE, code officiel géographique and populations légales, and DGCL, liste des EPCI à fiscalité propre, 2026, as
  published by Etalab in the npm package @etalab/decoupage-administratif 6.0.0;
- IGN, Admin Express COG, edition 2018, simplified in the repository gregoiredavid/france-geojson: middles and areas
  were computed from its contours, those of communes that merged since added up.
"""

from pathlib import Path
from typing import Final

SOMME: Final = Path(__file__).with_name("somme.csv")


def shipped() -> dict[str, Path]:
    """Return the file of each territory that comes with Samara."""
    return {file.stem: file for file in sorted(Path(__file__).parent.glob("*.csv"))}
