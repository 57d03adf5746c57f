"""`python -m deploy.probe [URL]`: exit 0 when a role says that it is ready. It imports next to nothing."""

import sys
import urllib.error
import urllib.request
from typing import Final

_URL: Final = "http://127.0.0.1:8080/readyz"
_TIMEOUT_S: Final = 3


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    url = arguments[0] if arguments else _URL
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the operator's own address
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
