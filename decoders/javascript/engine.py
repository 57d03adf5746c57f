"""The one door to quickjs-ng. Its module bears the same name as that of the abandoned `quickjs`, hence the check."""

import importlib
import importlib.metadata
from typing import Any, Final, Protocol

from domain.errors import ConfigurationError

DISTRIBUTION: Final = "quickjs-ng"
RIVAL: Final = "quickjs"


class EngineContext(Protocol):
    """What we use of `_quickjs.Context`: a runtime of its own, with one global object."""

    def eval(self, code: str) -> Any:
        """Run a script in the global scope, sloppy; return its value. Objects are callable when functions are."""

    def module(self, code: str) -> Any:
        """Run an ES module."""

    def memory(self) -> dict[str, int]:
        """Return `memory_used_size` and other figures, in bytes."""

    def set_memory_limit(self, limit: int) -> None:
        """Bound the heap, bytes."""

    def set_max_stack_size(self, limit: int) -> None:
        """Bound the stack, bytes."""

    def set_time_limit(self, limit: float) -> None:
        """Bound the CPU time of each later call, seconds."""


def check_engine() -> str:
    """Return the engine's version; raise ConfigurationError when it is missing or shadowed."""
    try:
        version = importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(f"JavaScript codecs need the package {DISTRIBUTION}") from None
    try:
        importlib.metadata.version(RIVAL)
    except importlib.metadata.PackageNotFoundError:
        return version
    raise ConfigurationError(
        f"the package {RIVAL} is installed beside {DISTRIBUTION}: both are the module `{RIVAL}`, and {RIVAL} does "
        f"not contain hostile scripts; uninstall it, then install {DISTRIBUTION} again"
    )


class Engine:
    """The extension module. Not the package around it, which starts a thread when imported."""

    def __init__(self) -> None:
        module = importlib.import_module("_quickjs")
        self.new_context: Final = module.Context
        # A script's value that has no Python form is a TypeError, a lone surrogate a UnicodeDecodeError.
        self.errors: Final[tuple[type[Exception], ...]] = (
            module.JSException,
            module.StackOverflow,
            TypeError,
            UnicodeDecodeError,
        )
