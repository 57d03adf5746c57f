"""The models Samara knows, and the one call that turns a frame into readings.

`Registry.load()` walks `decoders/native/`: one file per model (or per family of models that share one frame
form). Names that begin with an underscore are helpers shared by several of them.
"""

import hashlib
import importlib.util
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final, NamedTuple, Self

from decoders.foreign import foreign_readings
from decoders.parameters import Parameters, counted, number
from domain.errors import DecodeError, SamaraError
from domain.quantities import QUANTITIES
from domain.readings import DECODED, EMPTY, FAILED, FOREIGN, MALFORMED, NO_DECODER, Reading

NATIVE_FOLDER: Final = Path(__file__).parent / "native"

DecodeFunction = Callable[[bytes, int], list[Reading]]
Constants = Mapping[str, float]
_NONE: Final[Parameters] = MappingProxyType({})

_MODEL_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HELPER_IMPORT: Final = re.compile(rb"^from decoders\.native\.(_\w+) import", re.MULTILINE)
_WORD: Final = re.compile(r"[a-z0-9]+")


class RegistryError(SamaraError):
    """A decoder module is broken, or two claim one model; nothing was loaded."""


class Model(NamedTuple):
    """One model of sensor.

    `quantities` are all the names its frames can carry, `period_s` is how often it sends unless configured
    otherwise (None when it sends on events alone). `hints` are the words by which a network server's device
    profile names it: see `Registry.match`.
    """

    id: str
    vendor: str
    name: str
    quantities: tuple[str, ...]
    period_s: int | None = None
    hints: tuple[str, ...] = ()


class Decoder(NamedTuple):
    """A model, its decode function, and `version`: the first digits of its source's SHA-256.

    `constants` are what it needs to know of each device, numbers by name: with some, `decode` takes them as a third
    argument, and leaves out what it cannot compute without.
    """

    model: Model
    decode: DecodeFunction
    version: str
    constants: tuple[str, ...] = ()


class Decoded(NamedTuple):
    """What became of one frame.

    `outcome` is one of `domain.readings.OUTCOMES`; there are readings with DECODED and FOREIGN alone (a frame
    of DECODED can carry none: an acknowledgement, a reset). `detail` says to a person why there are none, or
    some are missing.
    `version` is that of the decoder that looked at the frame.
    """

    outcome: str
    readings: Sequence[Reading] = ()
    detail: str = ""
    version: str = ""


_EMPTY: Final = Decoded(EMPTY)
_new: Final = tuple.__new__  # what Decoded(…) does in the end, in half the time


class Registry:
    """Every decoder by the id of its model. Immutable once built."""

    __slots__ = ("_functions", "_hints", "decoders")

    def __init__(self, decoders: Iterable[Decoder]) -> None:
        by_id = {decoder.model.id: decoder for decoder in decoders}
        self.decoders: Final[Mapping[str, Decoder]] = MappingProxyType(by_id)
        # As above, without what the hot path does not need: a proxy, and attributes by name.
        self._functions: Final[dict[str | None, tuple[DecodeFunction, str]]] = {
            model_id: (decoder.decode, decoder.version) for model_id, decoder in by_id.items() if not decoder.constants
        }
        self._hints: Final = tuple(
            (hint, decoder.model.id) for decoder in by_id.values() for hint in _hint_words(decoder.model)
        )

    @property
    def models(self) -> list[Model]:
        """Every model, in the order of their files."""
        return [decoder.model for decoder in self.decoders.values()]

    @classmethod
    def load(cls, folder: Path = NATIVE_FOLDER) -> Self:
        """Import every module of `folder`. Raises RegistryError naming the first file that will not do."""
        found: dict[str, tuple[Decoder, Path]] = {}
        for path in sorted(folder.glob("*.py")):
            if path.name.startswith("_"):
                continue
            for decoder in _load_module(path):
                model_id = decoder.model.id
                if model_id in found:
                    raise RegistryError(f"{path.name}: model {model_id} is already in {found[model_id][1].name}")
                found[model_id] = decoder, path
        return cls(decoder for decoder, _ in found.values())

    def decode(
        self,
        model_id: str | None,
        payload: bytes,
        f_port: int | None,
        foreign: Mapping[str, Any] | None = None,
        parameters: Parameters = _NONE,
    ) -> Decoded:
        """Turn one frame into readings, or say why not. Never raises.

        `foreign` is what the network server's own codec computed; its numbers are the readings when the model
        is unknown. `parameters` are the device's own. This is the hot path of ingest.
        """
        if not f_port or not payload:
            return _EMPTY
        found = self._functions.get(model_id)
        detail = ""
        if found is None or parameters:
            decoder = self.decoders.get(model_id) if model_id else None
            if decoder is None:
                return _from_foreign(model_id, foreign)
            found = _knowing(decoder, parameters), decoder.version
            detail = _unknown(decoder, parameters)
        decode, version = found
        try:
            return _new(Decoded, (DECODED, decode(payload, f_port), detail, version))
        except (DecodeError, struct.error, IndexError) as error:
            return Decoded(MALFORMED, (), str(error), version)
        except Exception as error:  # noqa: BLE001
            # The one place where catching everything is right: a decoder's defect is stored with its uplink,
            # counted and mended later; it must not stop the batch of neighbours that it stands in.
            return Decoded(FAILED, (), f"{type(error).__name__}: {error}", version)

    def match(self, hint: str) -> str | None:
        """Return the id of the model that a device profile's name speaks of, None if none or several do.

        A model matches when all words of one of its hints occur in `hint`, in any order and case ("em300 th"
        occurs in "Milesight EM300-TH (868)" and in "EM300TH"). The longest hint wins.
        """
        words = frozenset(_WORD.findall(hint.casefold()))
        matches = [
            (len("".join(wanted)), model_id)
            for wanted, model_id in self._hints
            if words.issuperset(wanted) or "".join(wanted) in words
        ]
        longest = max((length for length, _ in matches), default=0)
        best = {model_id for length, model_id in matches if length == longest}
        return best.pop() if len(best) == 1 else None


def _unknown(decoder: Decoder, parameters: Parameters) -> str:
    missing = [name for name in decoder.constants if name not in parameters]
    return f"not known of this device: {', '.join(missing)}; `samara devices set`" if missing else ""


def _knowing(decoder: Decoder, parameters: Parameters) -> DecodeFunction:
    """Return the decode function of one device, with what is known of it."""

    def decode(payload: bytes, f_port: int) -> list[Reading]:
        if decoder.constants:
            constants = {name: number(parameters[name]) for name in decoder.constants if name in parameters}
            readings = decoder.decode(payload, f_port, constants)  # type: ignore[call-arg]
        else:
            readings = decoder.decode(payload, f_port)
        return [*counted(readings, parameters)]

    return decode


def _hint_words(model: Model) -> list[tuple[str, ...]]:
    """Return the words of each hint; a model answers to its own id as well."""
    return [tuple(_WORD.findall(hint.casefold())) for hint in (model.id, *model.hints)]


def _from_foreign(model_id: str | None, foreign: Mapping[str, Any] | None) -> Decoded:
    readings = foreign_readings(foreign) if foreign else ()
    if readings:
        return Decoded(FOREIGN, readings)
    return Decoded(NO_DECODER, (), "no model" if model_id is None else f"no decoder for model {model_id}")


def _load_module(path: Path) -> list[Decoder]:
    """Import one file and return its decoders. Raises RegistryError naming the file."""
    try:
        module = _import(path)
    except Exception as error:
        raise RegistryError(f"{path.name}: {type(error).__name__}: {error}") from error
    models = getattr(module, "MODELS", None) or (getattr(module, "MODEL", None),)
    decode = getattr(module, "decode", None)
    if not callable(decode):
        raise RegistryError(f"{path.name}: no function `decode`")
    version, constants = _version(path), tuple(getattr(module, "CONSTANTS", ()))
    return [Decoder(_checked(model, path), decode, version, constants) for model in models]


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"decoders.native.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _checked(model: object, path: Path) -> Model:
    """Return the model; raise RegistryError when its declaration will not do."""
    if not isinstance(model, Model):
        raise RegistryError(f"{path.name}: neither `MODEL` nor `MODELS` is declared")
    if not _MODEL_ID.fullmatch(model.id):
        raise RegistryError(f"{path.name}: id {model.id!r} is not lower-case words joined by hyphens")
    if not isinstance(model.quantities, tuple) or not isinstance(model.hints, tuple):
        raise RegistryError(f"{path.name}: quantities and hints of {model.id} are not tuples")
    unknown = sorted(set(model.quantities) - QUANTITIES.keys())
    if unknown:
        raise RegistryError(f"{path.name}: not in domain/quantities.py: {', '.join(unknown)}")
    return model


def _version(path: Path) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of a module and of the helpers it imports."""
    digest = hashlib.sha256()
    waiting, seen = [path], set[Path]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        source = current.read_bytes()
        digest.update(source)
        waiting += [NATIVE_FOLDER / f"{name.decode()}.py" for name in sorted(_HELPER_IMPORT.findall(source))]
    return digest.hexdigest()[:12]
