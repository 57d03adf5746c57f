"""How speaking to a network server can fail."""

import re
from typing import Final

from domain.errors import SamaraError

_SECRET: Final = re.compile(r"[0-9A-Fa-f]{32,}|\beyJ[\w-]+\.[\w.-]*|\bNNSXS\.[\w.-]+")
_LONGEST: Final = 300


class ServerError(SamaraError):
    """The network server did not do it.

    `permanent`: asking again will not help. Otherwise it is asked again later. What looks like a key or a token is
    left out of what it says.
    """

    def __init__(self, detail: str, *, permanent: bool = False) -> None:
        super().__init__(plain(detail))
        self.permanent = permanent


def plain(said: str) -> str:
    """Return what a network server said in one line, without keys or tokens."""
    shown = "".join(one if one.isprintable() else " " for one in _SECRET.sub("…", said))
    return " ".join(shown.split())[:_LONGEST]
