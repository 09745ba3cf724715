"""What a technician can ask of a running terminal over its serial port: one word a line.

`log` repeats the lines kept, `recovery` restarts into serial recovery, `reset` restarts. Nothing
here shows or changes money; images sent in recovery must be signed all the same.
"""

import asyncio

from firmware.log import lines, log

_LONGEST_LINE = 64
_POLL_MS = 100


async def serve(board, boot_info):
    """Read the console for ever."""
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
            elif line:
                board.console.write(b"> log, recovery or reset\r\n")
