"""Our rules against Debian's promtool: thousands of generated ones, no difference that is not explained."""

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from promtool_pairs import PER_FILE, Pair, differences, files, firing_times, pair

FILES_AT_ONCE = 10


@pytest.fixture(scope="session")
def promtool() -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool: not installed; apt-get install prometheus")
    return program


def compare(promtool: str, folder: Path, seed: int, count: int) -> Counter[str]:
    """Compare `count` rules that both can say; return how many of each kind, and of what only we can say."""
    chance, told = random.Random(seed), Counter[str]()
    pairs: list[tuple[str, Pair]] = []
    while len(pairs) < count:
        name = f"r{len(pairs)}"
        made = pair(chance, name)
        if isinstance(made, Pair):
            pairs.append((name, made))
            told[made.kind] += 1
            told["that fired"] += any(firing_times(made))
        else:
            told[f"unsupported: {made.reason}"] += 1
    paths = [files(pairs[at : at + PER_FILE], folder, at) for at in range(0, count, PER_FILE)]
    for at in range(0, len(paths), FILES_AT_ONCE):
        assert differences(promtool, paths[at : at + FILES_AT_ONCE]) == ""
    return told


def test_promtool_fires_when_we_do(promtool: str, tmp_path: Path) -> None:
    told = compare(promtool, tmp_path, seed=1, count=80)
    assert told["that fired"] > 30
    assert {"threshold", "silent_sensor", "aggregate", "rate_of_change", "group", "combined"} <= set(told)


def test_promtool_notices_a_difference(promtool: str, tmp_path: Path) -> None:
    one = Pair("threshold", {"quantity": "co2", "above": 5.5, "hold_s": 60}, "r0 > 6.5", 0, 0, ("5 6 5",), 1)
    assert "exp" in differences(promtool, [files([("r0", one)], tmp_path, 0)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_ten_thousand_rules(promtool: str, tmp_path: Path, seed: int) -> None:
    told = compare(promtool, tmp_path, seed, count=1000)
    report = "\n".join(f"{number:6d} {what}" for what, number in sorted(told.items()))
    print(report)  # noqa: T201 - what the long form is run for
