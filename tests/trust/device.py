"""Run one piece of device-side script on either interpreter with data in and data out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.micropython import run

HERE = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((HERE / "vectors.json").read_text())


def on_device(
    interpreter: str, body: str, data: object, *, heap_bytes: int = 8 * 1024 * 1024
) -> Any:
    """Run `body`, which finds `data` (anything JSON holds) and sets `out` (likewise); return `out`.

    One start of the interpreter costs as much as hundreds of vectors: pass them together. The heap
    is roomy because the vectors themselves are in it; tests of the memory budget set their own.
    """
    script = (
        "import sys, json\ndata = json.loads(sys.stdin.buffer.read())\n"
        "out = []\n" + body + "\nprint(json.dumps(out))\n"
    )
    printed = run(
        script,
        interpreter_name=interpreter,
        stdin=json.dumps(data).encode(),
        heap_bytes=heap_bytes,
    )
    return json.loads(printed.splitlines()[-1])
