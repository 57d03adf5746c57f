"""What a plan's report says, in French and in English."""

from typing import Final

from domain.errors import ConfigurationError
from simulators import pages

_FR: Final[dict[str, str | tuple[str, ...]]] = {
    "title": "Plan de réseau : {name}",
    "headline": "{count} antennes nouvelles et {existing} déjà en place : {share} % des habitants entendus derrière "
    "des murs de {walls:g} dB en SF12 (avant : {before} %).",
    "caution": "Ces chiffres dépendent d'hypothèses que personne ne connaît d'avance. Sous d'autres modèles publiés, "
    "les mêmes antennes desservent de {low} à {high} % des habitants, et en desservir {target} % demande de {least} à "
    "{most} antennes. Mesurez quelques liaisons avant d'acheter.",
    "many": "plus de {most}",
    "more": "{count} et plus",
    "map_indoor": "Entendu à l'intérieur, SF12 (probabilité)",
    "map_outdoor": "Entendu à l'extérieur, SF7 (probabilité)",
    "map_margin": "Marge moyenne à l'extérieur, SF12 (dB)",
    "map_delivery": "Trames livrées, capteurs à l'intérieur (probabilité)",
    "map_note": "Croix rouges : antennes. Chaque carré de {cell:g} m ; clair = mieux.",
    "antennas": "Antennes",
    "antennas_note": "« Apport » : part d'habitants entendus que l'antenne ajoute aux précédentes. « Perte » : part "
    "perdue si elle seule tombe.",
    "antennas_across": "antennes nouvelles : part d'habitants entendus à l'intérieur",
    "antenna_head": ("antenne", "apport %", "perte %", "communes touchées", "capteurs entendus", "trames reçues %"),
    "standing": "{name} (en place)",
    "band": "Sensibilité aux hypothèses",
    "band_head": ("affaiblissement", "murs dB", "habitants %", "antennes pour 80 %", "pour 90 %", "pour 95 %"),
    "capacity": "Capteurs par antenne",
    "capacity_note": "Trames livrées (%) selon le nombre de capteurs autour d'une antenne et la part bloquée en SF12. "
    "Dernière colonne : combien de capteurs gardent 90 % de livraison.",
    "capacity_across": "capteurs autour d'une antenne, selon la part bloquée en SF12",
    "capacity_head": "bloqués en SF12",
    "carried": "à 90 %",
    "factors": "Habitants entendus par facteur d'étalement (%)",
    "factors_head": ("", "à l'extérieur", "à l'intérieur"),
    "comparison": "Plan A (ci-dessus) contre plan B, mêmes tirages",
    "comparison_head": ("", "valeur"),
    "share_a": "A, habitants %",
    "share_b": "B, habitants %",
    "gain": "B moins A, points",
    "gain_range": "neuf tirages sur dix entre",
    "b_is_better": "tirages où B l'emporte",
    "spread": "écart-type de la différence, points",
    "spread_if_apart": "le même avec des tirages séparés",
    "calibration": "Calage sur des réceptions réelles",
    "calibration_head": ("", "valeur"),
    "links": "liaisons",
    "frames": "trames",
    "line": "affaiblissement à 1 km ; par décade ; sigma (dB)",
    "least_squares": "le même par moindres carrés, biaisé",
    "range": "distances (m)",
    "heard_to": "plus faible signal entendu (dBm)",
    "unreliable": "Trop peu de liaisons pour un modèle : montré, pas utilisé.",
    "communes": "Communes",
    "communes_note": "Parts de la surface. Redondance : antennes qui entendent, à l'intérieur. Livré : trames de "
    "capteurs à l'intérieur, collisions comprises ({sensors:g} capteurs pour 1000 habitants, un message toutes les "
    "{period:g} s, {stuck:g} % bloqués en SF12). La liste entière est dans communes.geojson et plan.json.",
    "communes_head": (
        "commune",
        "EPCI",
        "habitants",
        "ext. SF7 %",
        "ext. SF12 %",
        "int. SF12 %",
        "redondance",
        "livré %",
    ),
    "communes_worst": "Les 25 communes les moins bien servies",
    "assumptions": "Hypothèses",
    "assumptions_head": ("", "valeur"),
    "no_terrain": "Pas de relief ni de bâti : une plaine, et le hasard des obstacles (sigma).",
    "terrain": "Le relief compte : la pire arête entre antenne et capteur (UIT-R P.526), et la hauteur de l'antenne "
    "au-dessus du pays. Pas de bâti : le hasard des obstacles (sigma).",
}
_EN: Final[dict[str, str | tuple[str, ...]]] = {
    "title": "Network plan: {name}",
    "headline": "{count} new antennas and {existing} that stand: {share} % of people heard behind walls of {walls:g} "
    "dB at SF12 (before: {before} %).",
    "caution": "These figures rest on assumptions that nobody knows beforehand. Under other published models the same "
    "antennas serve {low} to {high} % of people, and serving {target} % takes {least} to {most} antennas. Measure some "
    "links before buying.",
    "many": "more than {most}",
    "more": "{count} and more",
    "map_indoor": "Heard indoors, SF12 (probability)",
    "map_outdoor": "Heard outdoors, SF7 (probability)",
    "map_margin": "Mean margin outdoors, SF12 (dB)",
    "map_delivery": "Frames delivered, sensors indoors (probability)",
    "map_note": "Red crosses: antennas. Each square is {cell:g} m; light is better.",
    "antennas": "Antennas",
    "antennas_note": "Adds: the share of people heard that the antenna adds to those before it. Lost: the share lost "
    "if it alone fails.",
    "antennas_across": "new antennas: share of people heard indoors",
    "antenna_head": ("antenna", "adds %", "lost %", "communes that suffer", "sensors heard", "frames received %"),
    "standing": "{name} (stands)",
    "band": "Sensitivity to the assumptions",
    "band_head": ("path loss", "walls dB", "people %", "antennas for 80 %", "for 90 %", "for 95 %"),
    "capacity": "Sensors per antenna",
    "capacity_note": "Frames delivered (%) by the number of sensors about one antenna and the share of them stuck at "
    "SF12. Last column: how many sensors keep 90 % delivered.",
    "capacity_across": "sensors about one antenna, by the share of them stuck at SF12",
    "capacity_head": "stuck at SF12",
    "carried": "at 90 %",
    "factors": "People heard by spreading factor (%)",
    "factors_head": ("", "outdoors", "indoors"),
    "comparison": "Plan A (above) against plan B, the same random numbers",
    "comparison_head": ("", "value"),
    "share_a": "A, people %",
    "share_b": "B, people %",
    "gain": "B less A, points",
    "gain_range": "nine draws of ten between",
    "b_is_better": "draws in which B is better",
    "spread": "standard deviation of the difference, points",
    "spread_if_apart": "the same with random numbers apart",
    "calibration": "Calibration on real receptions",
    "calibration_head": ("", "value"),
    "links": "links",
    "frames": "frames",
    "line": "loss at 1 km; per decade; sigma (dB)",
    "least_squares": "the same by least squares, biased",
    "range": "distances (m)",
    "heard_to": "weakest signal heard (dBm)",
    "unreliable": "Too few links for a model: shown, not used.",
    "communes": "Communes",
    "communes_note": "Shares of land. Redundancy: antennas that hear, indoors. Delivered: frames of sensors indoors, "
    "collisions counted ({sensors:g} sensors for 1000 people, a message each {period:g} s, {stuck:g} % stuck at SF12). "
    "The whole list is in communes.geojson and plan.json.",
    "communes_head": (
        "commune", "EPCI", "people", "outd. SF7 %", "outd. SF12 %", "ind. SF12 %", "redundancy", "delivered %",
    ),
    "communes_worst": "The 25 communes that are served worst",
    "assumptions": "Assumptions",
    "assumptions_head": ("", "value"),
    "no_terrain": "No terrain, no buildings: a plain, and the chance of obstacles (sigma).",
    "terrain": "The ground counts: the worst edge between antenna and sensor (ITU-R P.526), and how far the antenna "
    "stands above its land. No buildings: the chance of obstacles (sigma).",
}  # fmt: skip
_CATALOGUES: Final[dict[str, dict[str, str | tuple[str, ...]]]] = {"fr": _FR, "en": _EN}


class Texts:
    """One language's texts."""

    def __init__(self, language: str) -> None:
        if language not in _CATALOGUES:
            raise ConfigurationError(f"reports are in {', '.join(_CATALOGUES)}, not {language!r}")
        self.language = language
        self._texts = _CATALOGUES[language]

    def say(self, name: str, /, **values: object) -> str:
        """Return a text with its values."""
        text = self._texts[name]
        assert isinstance(text, str), f"{name} is a table's head"
        return text.format(**values)

    def percent(self, share: float) -> str:
        """Return a share in percent as the language writes it, without its sign."""
        return pages.said(round(100 * share, 1), self.language)

    def head(self, name: str) -> tuple[str, ...]:
        """Return the names of a table's columns."""
        text = self._texts[name]
        assert isinstance(text, tuple), f"{name} is no table's head"
        return text


def names() -> dict[str, set[str]]:
    """Return the names of the texts by language: all have the same."""
    return {language: set(texts) for language, texts in _CATALOGUES.items()}
