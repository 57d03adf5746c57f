"""The personal data that meters make: what for, on which ground, and for how long, unless a tenant says otherwise.

A class is of the points that are said to be one household's and of the quantities of one domain. The grounds are those
of article 6 of the GDPR.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from domain.personal import Every

DataClass = Literal["individual_water", "individual_energy", "individual_environment"]


class Processing(NamedTuple):
    """What is done with one class of personal data. Older than `keep_months` months, it is deleted.

    `grain`: the finest that people are shown of it.
    """

    domain: str
    purpose: str
    legal_basis: str
    keep_months: int
    grain: Every


PROCESSINGS: Final[Mapping[DataClass, Processing]] = {
    "individual_water": Processing(
        domain="water",
        purpose="Facturation de l'eau et recherche de fuites chez l'abonné",
        legal_basis="Exécution du contrat d'abonnement (RGPD, art. 6.1.b)",
        keep_months=36,
        grain="day",
    ),
    "individual_energy": Processing(
        domain="energy",
        purpose="Suivi des consommations du logement",
        legal_basis="Consentement de l'occupant (RGPD, art. 6.1.a)",
        keep_months=24,
        grain="day",
    ),
    "individual_environment": Processing(
        domain="environment",
        purpose="Suivi du confort et de la qualité de l'air du logement",
        legal_basis="Consentement de l'occupant (RGPD, art. 6.1.a)",
        keep_months=12,
        grain="hour",
    ),
}
