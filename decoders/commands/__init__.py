"""Commands that models know without a codec: one module for each form of command, found by walking this folder.

A module has MODELS, the ids of the models that take its commands, COMMANDS, and `encode`. How to add one:
docs/downlinks.md. What a JavaScript codec's `encodeDownlink` makes is beside this: `decoders/javascript/downlinks.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple, Protocol, cast

from domain.commands import PERIOD, PERIOD_S, Command, CommandError, Encoded, checked
from domain.errors import ConfigurationError
from domain.folders import has, modules


class Module(Protocol):
    """What a module of this folder offers."""

    MODELS: tuple[str, ...]
    COMMANDS: tuple[Command, ...]

    def encode(self, model_id: str, name: str, values: Mapping[str, int]) -> tuple[int, bytes]:
        """Return FPort and payload of a command with values that were checked. Raises CommandError."""


class Known(NamedTuple):
    """The commands of all models, by model."""

    modules: Mapping[str, Module]

    def of(self, model_id: str | None) -> tuple[Command, ...]:
        """Return the commands of a model; none for one that has none."""
        found = self.modules.get(model_id or "")
        return () if found is None else found.COMMANDS

    def encode(self, model_id: str | None, name: str, given: Mapping[str, Any]) -> Encoded:
        """Return the bytes of a command. Raises CommandError."""
        command = next((one for one in self.of(model_id) if one.name == name), None)
        if command is None or model_id is None:
            known = ", ".join(one.name for one in self.of(model_id)) or "none"
            raise CommandError(f"this sensor has no command {name[:40]!r}: {known}")
        values = checked(command, given)
        f_port, payload = self.modules[model_id].encode(model_id, name, values)
        return Encoded(f_port, payload, period_s=values[PERIOD_S] if name == PERIOD else None)


def load(package: str = __name__) -> Known:
    """Return the commands of all models. Raises ConfigurationError, naming the module, when one will not do."""
    found: dict[str, Module] = {}
    for module in modules(package):
        one = _checked(module)
        for model_id in one.MODELS:
            if model_id in found:
                raise ConfigurationError(f"{module.__name__}: another module has the commands of {model_id!r}")
            found[model_id] = one
    return Known(MappingProxyType(found))


def _checked(module: ModuleType) -> Module:
    has(module, "MODELS", "COMMANDS", "encode")
    return cast("Module", module)
