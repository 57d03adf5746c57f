"""The words of a report, in French and English."""

from typing import Final

from simulators.radio.air import CAUSES

LANGUAGES: Final = ("fr", "en")
_FRENCH: Final = {
    "lead": "{frames} trames de {devices} capteurs : {delivery} reçues par au moins une passerelle. "
    "{weak} capteurs en perdent plus d'une sur dix.",
    "lead_messages": "Sur {messages} messages, {share} sont arrivés, répétitions comprises.",
    "causes": "Ce que les trames sont devenues",
    "causes_note": "Une trame perdue compte sous ce qui l'a perdue à la passerelle qui l'a le mieux entendue.",
    "map": "Le territoire",
    "map_note": "Triangles : passerelles. Points : capteurs ; plus gros et plus rouges là où des trames se perdent.",
    "map_key": "9 trames sur 10 ou plus;de 5 à 9 sur 10;moins de 5 sur 10",
    "factors": "Par facteur d'étalement",
    "fleets": "Par flotte",
    "gateways": "Par passerelle",
    "copies": "Trames selon le nombre de passerelles qui les ont reçues",
    "hours": "Trames reçues, heure par heure",
    "dialogue": "Messages et réponses",
    "adr": "Capteurs par facteur d'étalement, heure par heure",
    "joined": "Capteurs activés, heure par heure",
    "joined_note": "La moitié en {half} min, 95 % en {most} min.",
    "assumptions": "Hypothèses",
    "assumptions_note": "La réponse en dépend : les mêmes capteurs sous d'autres hypothèses peuvent donner dix fois "
    "plus de pertes, ou dix fois moins.",
    "name": "nom",
    "cause": "cause",
    "frames": "trames",
    "devices": "capteurs",
    "delivered": "reçues",
    "passerelles": "passerelles",
    "hour": "heure",
    "sent": "émises",
    "messages": "messages",
    "messages_delivered": "messages reçus",
    "messages_not_sent": "messages non émis (capteur occupé ou pas encore activé)",
    "answers": "réponse",
    "rx1": "en RX1",
    "rx2": "en RX2",
    "not_sent": "impossibles",
    "received": "reçues",
    "join_accept": "activation (Join-accept)",
    "acknowledgement": "acquittement",
    "link_adr": "réglage (LinkADRReq)",
    "application": "message de l'application",
    "adr_ack_req": "signe de vie (ADRACKReq)",
    "weak": "trop faible",
    "out_of_service": "passerelle hors service",
    "half_duplex": "passerelle en émission",
    "no_demodulator": "démodulateurs pris",
    "interfered": "brouillée",
}
_ENGLISH: Final = {
    "lead": "{frames} frames of {devices} devices: {delivery} received by at least one gateway. "
    "{weak} devices lose more than one in ten.",
    "lead_messages": "Of {messages} messages, {share} arrived, repetitions included.",
    "causes": "What became of the frames",
    "causes_note": "A lost frame counts under what lost it at the gateway that came closest to receiving it.",
    "map": "The territory",
    "map_note": "Triangles: gateways. Dots: devices; larger and redder where frames are lost.",
    "map_key": "9 frames in 10 or more;5 to 9 in 10;fewer than 5 in 10",
    "factors": "By spreading factor",
    "fleets": "By fleet",
    "gateways": "By gateway",
    "copies": "Frames by how many gateways received them",
    "hours": "Frames received, hour by hour",
    "dialogue": "Messages and answers",
    "adr": "Devices by spreading factor, hour by hour",
    "joined": "Devices joined, hour by hour",
    "joined_note": "Half of them within {half} min, 95 % within {most} min.",
    "assumptions": "Assumptions",
    "assumptions_note": "The answer rests on them: the same devices under others may lose ten times more, or less.",
    "name": "name",
    "cause": "cause",
    "frames": "frames",
    "devices": "devices",
    "delivered": "received",
    "passerelles": "gateways",
    "hour": "hour",
    "sent": "sent",
    "messages": "messages",
    "messages_delivered": "messages delivered",
    "messages_not_sent": "messages not sent (device busy, or not joined yet)",
    "answers": "answer",
    "rx1": "in RX1",
    "rx2": "in RX2",
    "not_sent": "impossible",
    "received": "received",
    "join_accept": "Join-accept",
    "acknowledgement": "acknowledgement",
    "link_adr": "LinkADRReq",
    "application": "application message",
    "adr_ack_req": "sign of life (ADRACKReq)",
    "weak": "too weak",
    "out_of_service": "gateway out of service",
    "half_duplex": "gateway transmitting",
    "no_demodulator": "demodulators taken",
    "interfered": "interfered",
}
TEXTS: Final = {"fr": _FRENCH, "en": _ENGLISH}
LOST: Final = tuple(name for name in CAUSES if name not in {"pending", "received"})


def number(value: float, language: str) -> str:
    """Return a whole number with its thousands apart, as the language has it."""
    return f"{value:,.0f}".replace(",", "\u202f" if language == "fr" else ",")


def percent(share: float, language: str) -> str:
    """Return a share as a percentage of two decimals."""
    said = f"{100 * share:.2f}"
    return said.replace(".", ",") + "\u202f%" if language == "fr" else said + " %"
