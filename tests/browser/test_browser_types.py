import subprocess
from pathlib import Path


def test_the_scripts_types_hold(typescript: list[str]) -> None:
    done = subprocess.run(
        [*typescript, "--project", str(Path(__file__).parent)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
