"""Numba behind typed names: the one place that knows it has no type information.

Numba's cache on disk asks only whether a function's own file has changed, and would go on running the old copy of what
it calls in another file. So the cache's folder bears a digest of all the sources beside this one.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def _cache_folder() -> str:
    here = Path(__file__).parent
    read = [source.read_bytes() for source in sorted(here.glob("*.py"))]
    digest = sha256(b"".join(source for source in read if b"Final = " in source or b"radio.jit" in source))
    return str(here / "__pycache__" / f"numba-{digest.hexdigest()[:16]}")


vars(numba.config).update(CACHE_DIR=_cache_folder())

prange = numba.prange  # a range whose turns are shared by the cores


def compiled(function: F) -> F:
    """Compile a function, kept on disk between runs."""
    return cast("F", numba.njit(cache=True, nogil=True)(function))


def inlined(function: F) -> F:
    """Compile a function into its callers: passing a dozen arrays costs more than what it does."""
    return cast("F", numba.njit(inline="always")(function))


def parallel(function: F) -> F:
    """Compile a function whose `prange` loops are shared by the cores."""
    return cast("F", numba.njit(cache=True, nogil=True, parallel=True)(function))


@compiled
def whole(number: Any) -> int:
    """Return a number of 64 bits with a sign: compiled, one without a sign and one with make a fraction."""
    return np.int64(number)  # type: ignore[return-value]  # compiled, both are the same


def set_threads(count: int) -> None:
    """Use that many cores; results do not depend on it."""
    numba.set_num_threads(count)
