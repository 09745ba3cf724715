"""Make `wycheproof.json` anew from a checkout of C2SP/wycheproof:

python -m tests.trust.wycheproof PATH_OF_CHECKOUT
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("wycheproof.json")
_SOURCES = {
    "ed25519": ("testvectors_v1/ed25519_test.json", "pk"),
    "ecdsa_p256_sha256": ("testvectors_v1/ecdsa_secp256r1_sha256_test.json", "uncompressed"),
}


def compact(document: dict[str, Any], key_name: str) -> list[list[Any]]:
    """[[public key, [[number, message, signature, is valid], …]], …] of one vector file."""
    return [
        [
            group["publicKey"][key_name],
            [[t["tcId"], t["msg"], t["sig"], t["result"] == "valid"] for t in group["tests"]],
        ]
        for group in document["testGroups"]
    ]


def main() -> None:
    """Read the checkout named on the command line, write the file."""
    checkout = Path(sys.argv[1])
    commit = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, check=True
    )
    made: dict[str, Any] = {
        "source": "https://github.com/C2SP/wycheproof at " + commit.stdout.decode().strip(),
        "licence": "Apache-2.0, copyright its authors; keys, messages, signatures and verdicts "
        "only, shortened by tests/trust/wycheproof.py",
    }
    for name, (path, key_name) in _SOURCES.items():
        made[name] = compact(json.loads((checkout / path).read_text()), key_name)
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in made.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
