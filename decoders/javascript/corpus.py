"""Run the examples of a collection of codecs: what `samara decoders check DIR` shows.

Every example runs three times: twice in a context of its own, once in the codec's one context after those before
it. A codec that answers alike when alone, and otherwise in company, depends on earlier calls: it is to be run with
`Codec.fresh`. (One that differs when alone speaks of the clock or of chance.)
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from decoders.javascript.calls import Codec, CodecResult
from decoders.javascript.examples import Verdict, judged
from decoders.javascript.layouts import chirpstack, examples_json, milesight, things_network
from decoders.javascript.layouts.found import Found
from decoders.javascript.pool import CodecPool

NO_EXAMPLES: Final = "no examples"
_LAYOUTS: Final = (things_network, chirpstack, examples_json, milesight)


class Checked(NamedTuple):
    """One codec's report. `problem` says why nothing could be run; `verdicts` are of the examples, in order."""

    layout: str
    name: str
    codec: Codec
    verdicts: tuple[Verdict, ...]
    order_matters: bool = False
    problem: str = ""

    @property
    def passed(self) -> int:
        """How many examples pass."""
        return sum(verdict.passed for verdict in self.verdicts)

    @property
    def ok(self) -> bool:
        """Whether there are examples and all pass."""
        return bool(self.verdicts) and all(verdict.passed for verdict in self.verdicts)


def found_in(root: Path) -> Iterator[tuple[str, Found]]:
    """Yield the layout's name and the codec, for every codec below `root` in any known layout."""
    for layout in _LAYOUTS:
        for found in layout.find(root):
            yield layout.NAME, found


async def check(root: Path, pool: CodecPool) -> AsyncIterator[Checked]:
    """Yield the report of each codec below `root`."""
    for tenant_id, (layout, found) in enumerate(found_in(root), start=1):
        codec = Codec.of(found.source)
        if found.problem or not found.examples:
            yield Checked(layout, found.name, codec, (), problem=found.problem or NO_EXAMPLES)
            continue
        alone = await _results(pool, tenant_id, found, codec._replace(fresh=True))
        again = await _results(pool, tenant_id, found, codec._replace(fresh=True))
        together = await _results(pool, -tenant_id, found, codec)
        verdicts = tuple(judged(example, one) for example, one in zip(found.examples, alone, strict=True))
        yield Checked(layout, found.name, codec, verdicts, order_matters=_order_matters(alone, again, together))


async def _results(pool: CodecPool, tenant_id: int, found: Found, codec: Codec) -> list[CodecResult]:
    return await pool.decode([example.call(codec, tenant_id) for example in found.examples])


def _order_matters(alone: Sequence[CodecResult], again: Sequence[CodecResult], together: Sequence[CodecResult]) -> bool:
    return differ(alone, together) and not differ(alone, again)


def differ(some: Sequence[CodecResult], others: Sequence[CodecResult]) -> bool:
    """Say whether two runs of the same calls gave different answers, whatever time they took."""
    return any(one._replace(cpu_us=0) != other._replace(cpu_us=0) for one, other in zip(some, others, strict=True))
