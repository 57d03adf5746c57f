"""Counter-based randomness: a number depends on what it is for, never on when or by whom it is drawn.

Source: SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014), applied
to a multiplicative mix of (seed, stream, item, count). Normal numbers: by inversion.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulators.radio.jit import compiled

Whole = int | np.integer[Any]

# Streams: each kind of chance has its own, so that adding one changes no other.
PLACE: Final = 1
SHADOW: Final = 2
FADING: Final = 3
PHASE: Final = 4
JITTER: Final = 5
CHANNEL: Final = 6
ARRIVALS: Final = 7
INDOOR: Final = 8
RETRY: Final = 9
DOWNLINK: Final = 10
ANSWER: Final = 11

_A: Final = np.uint64(0x9E3779B97F4A7C15)
_B: Final = np.uint64(0xD1B54A32D192ED03)
_C: Final = np.uint64(0x8CB92BA72F3D8DD7)
_D: Final = np.uint64(0xA0761D6478BD642F)
_M1: Final = np.uint64(0xBF58476D1CE4E5B9)
_M2: Final = np.uint64(0x94D049BB133111EB)
_S30: Final = np.uint64(30)
_S27: Final = np.uint64(27)
_S31: Final = np.uint64(31)
_S11: Final = np.uint64(11)
_UNIT: Final = 1.0 / (1 << 53)


@compiled
def bits(seed: Whole, stream: Whole, item: Whole, count: Whole) -> np.uint64:
    """Return 64 bits."""
    value = np.uint64(seed) * _A + np.uint64(stream) * _B + np.uint64(item) * _C + np.uint64(count) * _D
    value = (value ^ (value >> _S30)) * _M1
    value = (value ^ (value >> _S27)) * _M2
    value = (value ^ (value >> _S31)) * _M1
    return value ^ (value >> _S30)


@compiled
def uniform(seed: Whole, stream: Whole, item: Whole, count: Whole) -> float:
    """Return a number in (0, 1): never 0, so that its logarithm exists."""
    return (float(bits(seed, stream, item, count) >> _S11) + 0.5) * _UNIT


@compiled
def _tail(q: float) -> float:
    """Return Acklam's approximation in a tail, q = sqrt(-2 log p)."""
    above = -7.784894002430293e-03
    for factor in (
        -3.223964580411365e-01,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ):
        above = above * q + factor
    below = 7.784695709041462e-03
    for factor in (3.224671290700398e-01, 2.445134137142996, 3.754408661907416, 1.0):
        below = below * q + factor
    return above / below


@compiled
def inverse_normal(p: float) -> float:
    """Return the standard normal quantile of p in (0, 1), to a relative 1.2e-9.

    Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function", 2003.
    """
    if p < 0.02425:
        return _tail(math.sqrt(-2.0 * math.log(p)))
    if p > 1.0 - 0.02425:
        return -_tail(math.sqrt(-2.0 * math.log(1.0 - p)))
    q = p - 0.5
    r = q * q
    above = -3.969683028665376e01
    for factor in (
        2.209460984245205e02,
        -2.759285104469687e02,
        1.383577518672690e02,
        -3.066479806614716e01,
        2.506628277459239,
    ):
        above = above * r + factor
    below = -5.447609879822406e01
    for factor in (1.615858368580409e02, -1.556989798598866e02, 6.680131188771972e01, -1.328068155288572e01, 1.0):
        below = below * r + factor
    return above * q / below


@compiled
def normal(seed: Whole, stream: Whole, item: Whole, count: Whole) -> float:
    """Return a standard normal number."""
    return inverse_normal(uniform(seed, stream, item, count))


@compiled
def exponential(seed: Whole, stream: Whole, item: Whole, count: Whole) -> float:
    """Return an exponential number of mean 1: the power of a Rayleigh channel."""
    return -math.log(uniform(seed, stream, item, count))


@compiled
def _uniforms(seed: Whole, stream: Whole, first: Whole, numbers: npt.NDArray[np.float64]) -> None:
    for item in range(numbers.shape[0]):
        for count in range(numbers.shape[1]):
            numbers[item, count] = uniform(seed, stream, np.int64(first) + item, count)


def uniforms(seed: int, stream: int, first: int, items: int, counts: int) -> npt.NDArray[np.float64]:
    """Return numbers in (0, 1) for items `first` and on, shape (items, counts)."""
    numbers = np.empty((items, counts))
    _uniforms(seed, stream, first, numbers)
    return numbers
