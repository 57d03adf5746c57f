"""The page of models is the registry's."""

from pathlib import Path

from decoders.page import models_page
from decoders.registry import Registry

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def test_page_shows_the_registry() -> None:
    assert PAGE.read_text("utf-8") == models_page(Registry.load().decoders), "samara decoders page > docs/models.md"
