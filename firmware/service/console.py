"""What a technician can ask of a running terminal over its serial port: one command a line.

`log` repeats the lines kept, `recovery` restarts into serial recovery, `reset` restarts; `COMMANDS`
are for the technician's tools, and what does them is loaded for that command only. Nothing here
changes money; images sent in recovery must be signed all the same. Anybody may be on the cable: no
bytes that come in end the program, are kept, or load anything unless they are a command.
"""

import asyncio

from bootloader.shared.breath import breathe
from bootloader.shared.compat import const
from firmware.bell import to_beat_ms
from firmware.lent import give_back, load, loaded
from firmware.log import lines, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.service.serviced import Serviced

COMMANDS = (
    "status",
    "export",
    "sync",
    "challenge",
    "unlock",
    "may_retire",
    "retire",
    "test",
    "settings",
    "configure",
)
_STAY = ("firmware.service.console",)
_LONGEST_LINE = const(255)
_POLL_MS = const(100)
_QUIET_MS = const(500)  # between looks at a cable on which nobody has said anything of late
_LATELY_MS = const(10000)
_UNKNOWN = b'= {"error": "no such command; log, recovery, reset and those of tools tech", "of": "'


async def serve(board: "Board", boot_info: "BootInfo", terminal: "Serviced | None" = None) -> None:
    """Read the console for ever. `terminal` is None when it is out of service."""
    typed = bytearray()
    quiet_ms = _LATELY_MS
    stream = getattr(board.console, "stream", None)  # boot images of before have none
    cable = asyncio.StreamReader(stream) if stream else None
    while True:
        try:
            got = board.console.read(32)
        except OSError:  # a broken line is no reason to stop selling
            got = None
        if not got:
            is_quiet = quiet_ms >= _LATELY_MS
            if is_quiet and cable:
                await cable.read(0)  # takes nothing: returns once somebody has said something
                quiet_ms = _LATELY_MS - _POLL_MS  # nothing there after all: no faster than this
                continue
            await asyncio.sleep_ms(to_beat_ms(_QUIET_MS) if is_quiet else _POLL_MS)
            quiet_ms = min(quiet_ms + _POLL_MS, _LATELY_MS)
            continue
        quiet_ms = 0
        breathe()  # after a long rest the watchdog may have little left
        for byte in got:
            if byte not in b"\r\n":
                # a line that is too long is no command: keep it so, but keep it short
                if len(typed) <= _LONGEST_LINE:
                    typed.append(byte)
                continue
            line = bytes(typed)
            typed = bytearray()
            if len(line) <= _LONGEST_LINE:
                try:
                    await _obey(board, boot_info, terminal, line)
                except Exception as error:
                    log("console", type(error).__name__)


async def _obey(
    board: "Board", boot_info: "BootInfo", terminal: "Serviced | None", line: bytes
) -> None:
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
    else:
        words = line.split()
        if words and any(words[0] == command.encode() for command in COMMANDS):
            await _run(board, boot_info, terminal, line)
        elif words:
            # noise is answered, too, but not as if it had been a command of somebody's
            word = words[0] if len(words[0]) <= 16 and words[0].isalpha() else b""
            board.console.write(_UNKNOWN + word + b'"}\r\n')


async def _run(
    board: "Board", boot_info: "BootInfo", terminal: "Serviced | None", line: bytes
) -> None:
    try:
        commands = load("firmware.service.commands")
        await commands.Commands(board, boot_info, terminal).run(line.decode())
    except Exception as error:  # CancelledError is none, so a task can still be ended
        log("console", type(error).__name__)
    commands = None
    give_back(loaded("firmware.service", _STAY))
