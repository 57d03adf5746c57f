"""Scenarios that come with Samara: one TOML file each, told by its first line."""

from pathlib import Path
from typing import Final

from domain.errors import ConfigurationError

_FOLDER: Final = Path(__file__).parent


def shipped() -> dict[str, str]:
    """Return the name of each scenario, and its first line's comment."""
    files = sorted(_FOLDER.glob("*.toml"))
    return {file.stem: file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for file in files}


def find(name: str) -> Path:
    """Return the file that a path or a shipped scenario's name means; raise ConfigurationError for neither."""
    path = Path(name)
    if path.is_file():
        return path
    ours = _FOLDER / f"{name}.toml"
    if path.suffix or len(path.parts) != 1 or not ours.is_file():
        raise ConfigurationError(f"{name}: no such file, and the shipped scenarios are {', '.join(shipped())}")
    return ours
