"""What a technician can ask of a running terminal over its serial port: one command a line.

`log` repeats the lines kept, `recovery` restarts into serial recovery, `reset` restarts. Everything
else is for the technician's tools, and is loaded for that command only. Nothing here changes money;
images sent in recovery must be signed all the same.
"""

import asyncio
import gc
import sys

from firmware.log import lines, log

_LONGEST_LINE = 255
_POLL_MS = 100


async def serve(board, boot_info, terminal=None):
    """Read the console for ever. `terminal` is None when it is out of service."""
    typed = bytearray()
    while True:
        got = board.console.read(32)
        if not got:
            await asyncio.sleep_ms(_POLL_MS)
            continue
        for byte in got:
            if byte not in b"\r\n":
                # a line that is too long is no command: keep it so, but keep it short
                if len(typed) <= _LONGEST_LINE:
                    typed.append(byte)
                continue
            line = bytes(typed)
            typed = bytearray()
            if line == b"log":
                for kept in lines():
                    board.console.write(b"> " + kept.encode() + b"\r\n")
            elif line == b"recovery":
                log("console", "to recovery")
                boot_info.control.request_recovery()
                board.reset()
            elif line == b"reset":
                log("console", "reset")
                board.reset()
            elif line and len(line) <= _LONGEST_LINE:
                await _bench(board, boot_info, terminal, line)


async def _bench(board, boot_info, terminal, line):
    gc.collect()
    try:
        bench = __import__("firmware.bench", None, None, ("Bench",))
        await bench.Bench(board, boot_info, terminal).run(line.decode())
    except (UnicodeError, MemoryError) as error:
        log("console", type(error).__name__)
    bench = None
    package = sys.modules["firmware"]
    for name in ("bench", "selftest"):
        if sys.modules.pop("firmware." + name, None):
            delattr(package, name)
    gc.collect()
