"""What a demonstration has to put in service: sensors in a box, each with its maker's label."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aiohttp import web


class Label(NamedTuple):
    """A simulated sensor that waits: its model in words, and the text of its QR code."""

    dev_eui: str
    model: str
    code: str


LABELS: Final[web.AppKey[Sequence[Label]]] = web.AppKey("labels")
