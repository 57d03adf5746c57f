"""Where the keyring is: in the settings, or beside the embedded database, made at its first start."""

from pathlib import Path

from deploy.settings import Settings
from domain.errors import ConfigurationError
from store.access.sealing import Keyring, new_key


def keyring_of(settings: Settings) -> Keyring:
    """Return the keys that seal. Raises ConfigurationError when there are none, or one is short or made up."""
    text = settings.keyring.get_secret_value()
    if text:
        return Keyring.parse(text)
    if settings.database.address:
        raise ConfigurationError(
            "keyring is not set: `samara keys new` prints one; keep it in a file (keyring_file), apart from the backups"
        )
    return Keyring.parse(_kept(settings.data_dir / "keyring"))


def _kept(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(new_key("first") + "\n", encoding="ascii")
        draft.replace(file)
    return file.read_text(encoding="ascii")
