"""Whether an uploaded codec may be used: only when the examples that came with it pass."""

from collections.abc import Sequence
from typing import NamedTuple

from decoders.javascript.calls import Codec, CodecResult, Limits
from decoders.javascript.examples import Example, judged


class Activation(NamedTuple):
    """Whether the codec is active, and if not, each reason. `codec` has `fresh` set when it needs it."""

    ok: bool
    reasons: tuple[str, ...]
    codec: Codec


def activation(
    codec: Codec,
    examples: Sequence[Example],
    results: Sequence[CodecResult],
    together: Sequence[CodecResult] = (),
    limits: Limits = Limits(),  # noqa: B008  # immutable
) -> Activation:
    """Decide from what the codec made of its examples.

    `results` are of calls with `Codec.fresh`, one per example in order. `together` are of the same calls in one
    context: a codec that answers otherwise there is activated, but in a fresh context at each call.
    """
    reasons: list[str] = []
    if len(codec.source.encode()) > limits.script_bytes:
        reasons.append(f"the script has more than {limits.script_bytes} bytes")
    if not examples:
        reasons.append("no examples")
    if len(examples) != len(results):
        reasons.append(f"{len(results)} results of {len(examples)} examples")
    verdicts = [judged(example, result) for example, result in zip(examples, results, strict=False)]
    reasons += [f"{verdict.name or 'example'}: {verdict.reason}" for verdict in verdicts if not verdict.passed]
    lonely = [judged(example, result).passed for example, result in zip(examples, together, strict=False)]
    return Activation(not reasons, tuple(reasons), codec._replace(fresh=codec.fresh or not all(lonely)))
