"""Try a codec on its examples before it is put in force, and its mapping on what it answered."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from decoders.javascript.activation import activation
from decoders.javascript.calls import Codec
from decoders.javascript.examples import Example, Verdict, judged
from decoders.javascript.mapping import Field, applied, problems_of, unmapped
from decoders.javascript.pool import CodecPool
from domain.quantities import QUANTITIES, is_plausible


class Trial(NamedTuple):
    """What came of it: `reasons` not to activate the codec, which has `fresh` set when it needs it.

    `answers` are the data of the examples that pass.
    """

    codec: Codec
    verdicts: tuple[Verdict, ...]
    reasons: tuple[str, ...]
    answers: tuple[Any, ...]


async def tried(pool: CodecPool, codec: Codec, examples: Sequence[Example], tenant_id: int = 0) -> Trial:
    """Run every example alone, and all in one context."""
    alone = await pool.decode([one.call(codec._replace(fresh=True), tenant_id) for one in examples])
    together = await pool.decode([one.call(codec, tenant_id) for one in examples])
    decided = activation(codec, examples, alone, together)
    verdicts = tuple(judged(example, result) for example, result in zip(examples, alone, strict=True))
    answers = [
        result.data
        for verdict, result in zip(verdicts, alone, strict=True)
        if verdict.passed and result.status == "data"
    ]
    return Trial(decided.codec, verdicts, decided.reasons, tuple(answers))


class MappingTrial(NamedTuple):
    """What a mapping makes of the answers: `reasons` not to use it, and what a person should look at."""

    reasons: tuple[str, ...]
    unmapped: tuple[str, ...]
    unseen: tuple[str, ...]  # fields that no example has


def mapping_tried(fields: Sequence[Field], answers: Sequence[Any]) -> MappingTrial:
    """Apply a mapping to the answers of the examples. Pure."""
    reasons = list(problems_of(fields))
    if not fields:
        reasons.append("no field is mapped: nothing would be measured")
    others: dict[str, None] = {}
    seen: set[tuple[str, int]] = set()
    for answer in answers if not reasons else ():
        mapped = applied(fields, answer)
        reasons += mapped.problems
        others.update(dict.fromkeys(unmapped(answer, mapped.taken)))
        for name, value, channel, _, _ in mapped.readings:
            seen.add((name, channel))
            known = QUANTITIES[name]
            if not is_plausible(known, value):
                reasons.append(f"{name} {value:g} {known.unit} is not within {known.low:g} to {known.high:g}")
    unseen = tuple(one.path for one in fields if (one.quantity, one.channel) not in seen)
    return MappingTrial(tuple(dict.fromkeys(reasons)), tuple(others), unseen if answers else ())
